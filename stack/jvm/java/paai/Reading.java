package paai;

import java.util.Comparator;
import java.util.Date;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * A record of the topic and the reading it holds.
 *
 * @param earlier the one of the same identity in the same batch that this one replaces; null without
 */
record Reading(SinkRecord record, Identity identity, double value, Place place, Reading earlier) {
    /** What makes two readings the same one. */
    record Identity(String deviceId, String sensor, long timeMs) {}

    /** When a record arrived: by the broker's stamp, then partition and offset. */
    record Place(long arrivalMs, int partition, long offset) implements Comparable<Place> {
        private static final Comparator<Place> BY_ARRIVAL =
                Comparator.comparingLong(Place::arrivalMs).thenComparingInt(Place::partition).thenComparingLong(Place::offset);

        @Override
        public int compareTo(Place other) {
            return BY_ARRIVAL.compare(this, other);
        }
    }

    static Reading of(SinkRecord record) {
        Struct fields = (Struct) record.value();
        Date time = (Date) fields.get("timestamp");
        // The few names of sensors are kept once, not once for each remembered reading.
        Identity identity = new Identity(fields.getString("device_id"), fields.getString("sensor").intern(), time.getTime());
        long arrivalMs = record.timestamp() == null ? -1 : record.timestamp();
        Place place = new Place(arrivalMs, record.originalKafkaPartition(), record.originalKafkaOffset());
        return new Reading(record, identity, fields.getFloat64("value"), place, null);
    }

    Reading after(Reading replaced) {
        return new Reading(record, identity, value, place, replaced);
    }
}
