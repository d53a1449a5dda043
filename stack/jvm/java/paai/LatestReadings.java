package paai;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Decides which of several records with one identity came last: by arrival, then partition and offset. A consumer reads partition by
 * partition, so that records of a device without a key come in another order than they arrived in.
 *
 * <p>Remembers the newest stored identities only; a record that comes after more others than that is compared with the database.
 */
final class LatestReadings {
    /** At about 250 bytes each a tenth of Connect's heap. */
    static final int REMEMBERED = 150_000;

    /** For so long nothing removes a stored reading: far below the retention, which goes by the time of storing. */
    static final long KNOWN_NS = TimeUnit.MINUTES.toNanos(10);

    private final LongSupplier clockNs;
    private final Map<Reading.Identity, Stored> stored =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Reading.Identity, Stored> eldest) {
                    return size() > REMEMBERED;
                }
            };

    LatestReadings(LongSupplier clockNs) {
        this.clockNs = clockNs;
    }

    /** Returns one reading for each identity, the last, in order of arrival; without those that a stored one replaces or equals. */
    List<Reading> newest(Collection<SinkRecord> records) {
        List<Reading> ordered = new ArrayList<>(records.size());
        for (SinkRecord record : records) {
            ordered.add(Reading.of(record));
        }
        ordered.sort(Comparator.comparing(Reading::place));
        Map<Reading.Identity, Reading> last = new LinkedHashMap<>();
        for (Reading reading : ordered) {
            Stored before = stored.get(reading.identity());
            if (before == null || before.place().compareTo(reading.place()) <= 0) {
                Reading earlier = last.remove(reading.identity()); // removed first, so that it is among the newest again
                last.put(reading.identity(), reading.after(earlier));
            }
        }
        List<Reading> unknown = new ArrayList<>(last.size());
        for (Reading reading : last.values()) {
            Stored before = stored.get(reading.identity());
            if (before != null && before.value() == reading.value() && isRecent(before)) {
                put(reading, before.storedNs());
            } else {
                unknown.add(reading);
            }
        }
        return unknown;
    }

    /** Whether its identity is stored. */
    boolean isKnown(Reading reading) {
        return stored.containsKey(reading.identity());
    }

    /** Notes what the database confirmed. */
    void remember(Reading reading) {
        put(reading, clockNs.getAsLong());
    }

    private void put(Reading reading, long storedNs) {
        stored.remove(reading.identity()); // so that it is among the newest again
        stored.put(reading.identity(), new Stored(reading.place(), reading.value(), storedNs));
    }

    private boolean isRecent(Stored reading) {
        return clockNs.getAsLong() - reading.storedNs() < KNOWN_NS;
    }

    private record Stored(Reading.Place place, double value, long storedNs) {}
}
