package paai;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Decides which of several records with one identity came last: by arrival, then partition and offset. A consumer reads partition by
 * partition, so that records of a device without a key come in another order than they arrived in.
 *
 * <p>Remembers the newest identities only; a record that comes after more others than that replaces what is stored.
 */
final class LatestReadings {
    /** At about 250 bytes each a tenth of Connect's heap. */
    static final int REMEMBERED = 150_000;

    private static final Comparator<Place> BY_ARRIVAL =
            Comparator.comparingLong(Place::arrivalMs).thenComparingInt(Place::partition).thenComparingLong(Place::offset);

    private final Map<Identity, Place> last =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Identity, Place> eldest) {
                    return size() > REMEMBERED;
                }
            };

    /** Returns the records in the order of their arrival, without those that an earlier call or a later one of them replaces. */
    List<SinkRecord> of(Collection<SinkRecord> records) {
        List<SinkRecord> ordered = new ArrayList<>(records);
        ordered.sort(Comparator.comparing(LatestReadings::place, BY_ARRIVAL));
        List<SinkRecord> kept = new ArrayList<>(ordered.size());
        for (SinkRecord record : ordered) {
            if (!(record.value() instanceof Struct reading)) {
                kept.add(record);
                continue;
            }
            Place place = place(record);
            // Removed first, so that it is among the newest again.
            Identity identity = new Identity(reading.getString("device_id"), reading.getString("sensor"), reading.get("timestamp"));
            Place before = last.remove(identity);
            boolean replaced = before != null && BY_ARRIVAL.compare(before, place) > 0;
            last.put(identity, replaced ? before : place);
            if (!replaced) {
                kept.add(record);
            }
        }
        return kept;
    }

    private static Place place(SinkRecord record) {
        long arrivalMs = record.timestamp() == null ? -1 : record.timestamp();
        return new Place(arrivalMs, record.originalKafkaPartition(), record.originalKafkaOffset());
    }

    private record Identity(String deviceId, String sensor, Object timestamp) {}

    private record Place(long arrivalMs, int partition, long offset) {}
}
