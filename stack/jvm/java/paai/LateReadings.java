package paai;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Remembers the last {@link #REMEMBERED} identities of late readings, so that a late reading that comes again is a repeat.
 *
 * <p>Kept in the executor's memory as hashes (at most 55 MB): its counters begin anew with the job too. A batch that is repeated
 * finds each record under its own partition and offset, and decides as before.
 */
final class LateReadings {
    static final int REMEMBERED = 1_000_000;

    /** What a late reading is. */
    enum Kind {
        LATE,
        REPEATED,
        CORRECTED
    }

    private static final int GENERATIONS = 4;
    private static final int PER_GENERATION = REMEMBERED / GENERATIONS;
    private static final int QUERIES = 4;
    private static final Map<String, LateReadings> BY_QUERY =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, LateReadings> eldest) {
                    return size() > QUERIES;
                }
            };

    /** The newest first. */
    private final Deque<Table> generations = new ArrayDeque<>();

    /** Returns those of a query, the same for each of its tasks in this JVM. */
    static LateReadings of(String query) {
        synchronized (BY_QUERY) {
            return BY_QUERY.computeIfAbsent(query, key -> new LateReadings());
        }
    }

    /** Take in one late reading. */
    synchronized Kind add(String deviceId, String sensor, long timeMs, double value, int partition, long offset) {
        long identity = hash(deviceId, sensor, timeMs);
        long place = ((long) partition << 48) | offset;
        int shortValue = Double.hashCode(value);
        for (Table table : generations) {
            int at = table.find(identity);
            if (table.identities[at] == identity) {
                if (table.places[at] == place) {
                    return Kind.LATE;
                }
                return table.values[at] == shortValue ? Kind.REPEATED : Kind.CORRECTED;
            }
        }
        if (generations.isEmpty() || generations.getFirst().size >= PER_GENERATION) {
            generations.addFirst(new Table());
            if (generations.size() > GENERATIONS + 1) {
                generations.removeLast();
            }
        }
        generations.getFirst().put(identity, place, shortValue);
        return Kind.LATE;
    }

    /** FNV-1a of 64 bits, mixed at the end; never 0, which marks a free place. */
    private static long hash(String deviceId, String sensor, long timeMs) {
        long hash = 0xcbf29ce484222325L;
        for (String part : new String[] {deviceId, sensor}) {
            for (int i = 0; i < part.length(); i++) {
                hash = (hash ^ part.charAt(i)) * 0x100000001b3L;
            }
            hash = (hash ^ 0xffff) * 0x100000001b3L;
        }
        hash ^= timeMs * 0x9e3779b97f4a7c15L;
        hash = (hash ^ (hash >>> 30)) * 0xbf58476d1ce4e5b9L;
        hash = (hash ^ (hash >>> 27)) * 0x94d049bb133111ebL;
        hash ^= hash >>> 31;
        return hash == 0 ? 1 : hash;
    }

    /** A hash table with open addressing, at most half full. */
    private static final class Table {
        int size;
        long[] identities = new long[1024];
        long[] places = new long[1024];
        int[] values = new int[1024];

        /** Returns where an identity is, or the free place for it. */
        int find(long identity) {
            int mask = identities.length - 1;
            int at = (int) identity & mask;
            while (identities[at] != 0 && identities[at] != identity) {
                at = (at + 1) & mask;
            }
            return at;
        }

        void put(long identity, long place, int value) {
            if (2 * (size + 1) > identities.length) {
                Table larger = new Table();
                larger.identities = new long[2 * identities.length];
                larger.places = new long[2 * identities.length];
                larger.values = new int[2 * identities.length];
                for (int i = 0; i < identities.length; i++) {
                    if (identities[i] != 0) {
                        larger.set(identities[i], places[i], values[i]);
                    }
                }
                identities = larger.identities;
                places = larger.places;
                values = larger.values;
            }
            set(identity, place, value);
            size++;
        }

        private void set(long identity, long place, int value) {
            int at = find(identity);
            identities[at] = identity;
            places[at] = place;
            values[at] = value;
        }
    }
}
