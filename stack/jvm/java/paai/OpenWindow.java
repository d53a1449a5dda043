package paai;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** The readings of one window of one device and sensor, each identity once, in the order of their timestamps. */
final class OpenWindow {
    /** What became of a reading that was put. */
    enum Put {
        ADDED,
        REPEATED,
        CORRECTED
    }

    /** Whether a reader has all that is in it. */
    boolean written;

    private int size;
    /** Milliseconds since the window's start. */
    private int[] times = new int[4];
    private double[] values = new double[4];
    private long[] arrivals = new long[4];
    private int[] partitions = new int[4];
    private long[] offsets = new long[4];

    /** Add a reading; of two with one timestamp the last by arrival, then partition and offset, is kept. */
    Put put(int time, double value, long arrival, int partition, long offset) {
        // Readings mostly come in order.
        int at = size == 0 || times[size - 1] < time ? -size - 1 : Arrays.binarySearch(times, 0, size, time);
        if (at < 0) {
            insert(-at - 1, time);
            set(-at - 1, value, arrival, partition, offset);
            written = false;
            return Put.ADDED;
        }
        boolean same = Double.compare(values[at], value) == 0;
        if (isLater(at, arrival, partition, offset)) {
            set(at, value, arrival, partition, offset);
            written &= same;
        }
        return same ? Put.REPEATED : Put.CORRECTED;
    }

    int size() {
        return size;
    }

    /** Returns average, minimum and maximum. */
    double[] summary() {
        double sum = 0;
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            sum += values[i];
            low = Math.min(low, values[i]);
            high = Math.max(high, values[i]);
        }
        return new double[] {sum / size, low, high};
    }

    void write(DataOutputStream out) throws IOException {
        out.writeBoolean(written);
        out.writeInt(size);
        for (int i = 0; i < size; i++) {
            out.writeInt(times[i]);
            out.writeDouble(values[i]);
            out.writeLong(arrivals[i]);
            out.writeInt(partitions[i]);
            out.writeLong(offsets[i]);
        }
    }

    static OpenWindow read(DataInputStream in) throws IOException {
        OpenWindow window = new OpenWindow();
        window.written = in.readBoolean();
        int size = in.readInt();
        window.grow(size);
        for (int i = 0; i < size; i++) {
            window.times[i] = in.readInt();
            window.set(i, in.readDouble(), in.readLong(), in.readInt(), in.readLong());
        }
        window.size = size;
        return window;
    }

    private boolean isLater(int at, long arrival, int partition, long offset) {
        if (arrival != arrivals[at]) {
            return arrival > arrivals[at];
        }
        return partition != partitions[at] ? partition > partitions[at] : offset > offsets[at];
    }

    private void set(int at, double value, long arrival, int partition, long offset) {
        values[at] = value;
        arrivals[at] = arrival;
        partitions[at] = partition;
        offsets[at] = offset;
    }

    private void insert(int at, int time) {
        grow(size + 1);
        int moved = size - at;
        System.arraycopy(times, at, times, at + 1, moved);
        System.arraycopy(values, at, values, at + 1, moved);
        System.arraycopy(arrivals, at, arrivals, at + 1, moved);
        System.arraycopy(partitions, at, partitions, at + 1, moved);
        System.arraycopy(offsets, at, offsets, at + 1, moved);
        times[at] = time;
        size++;
    }

    private void grow(int wanted) {
        if (wanted > times.length) {
            int capacity = Math.max(wanted, times.length + times.length / 2);
            times = Arrays.copyOf(times, capacity);
            values = Arrays.copyOf(values, capacity);
            arrivals = Arrays.copyOf(arrivals, capacity);
            partitions = Arrays.copyOf(partitions, capacity);
            offsets = Arrays.copyOf(offsets, capacity);
        }
    }
}
