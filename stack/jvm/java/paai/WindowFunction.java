package paai;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapGroupsWithStateFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.GroupState;
import org.apache.spark.sql.streaming.GroupStateTimeout;
import org.apache.spark.sql.streaming.OutputMode;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructType;

/**
 * The one stateful step of the aggregate job: readings of a shard → windows that closed, and what was counted.
 *
 * <p>A window leaves once the watermark has passed its end. A heartbeat, a row without a device, makes every open window leave at once
 * as it is; those stay open, so that a reading that comes after all is never late because of a heartbeat, and leave again when it
 * changed them. State is a shard, not a window: a batch touches nearly every device anyway, and few groups cost less than many.
 */
public final class WindowFunction implements FlatMapGroupsWithStateFunction<Integer, Row, byte[], Row> {
    private static final long serialVersionUID = 1;

    private static final StructType IN =
            new StructType()
                    .add("shard", DataTypes.IntegerType)
                    .add("device_id", DataTypes.StringType)
                    .add("sensor", DataTypes.StringType)
                    .add("time_ms", DataTypes.LongType)
                    .add("value", DataTypes.DoubleType)
                    .add("arrival_ms", DataTypes.LongType)
                    .add("partition", DataTypes.IntegerType)
                    .add("offset", DataTypes.LongType)
                    .add("never", DataTypes.TimestampType);
    private static final StructType OUT =
            new StructType()
                    .add("start_ms", DataTypes.LongType)
                    .add("device_id", DataTypes.StringType)
                    .add("sensor", DataTypes.StringType)
                    .add("avg", DataTypes.DoubleType)
                    .add("min", DataTypes.DoubleType)
                    .add("max", DataTypes.DoubleType)
                    .add("count", DataTypes.IntegerType)
                    .add("late", DataTypes.LongType)
                    .add("duplicates", DataTypes.LongType)
                    .add("conflicts", DataTypes.LongType);

    /** How Spark marks the column that it drops late rows by (EventTimeWatermark.delayKey). */
    private static final String WATERMARK_KEY = "spark.watermarkDelayMs";
    /** A local property of each task of a streaming query (StreamExecution.QUERY_ID_KEY). */
    private static final String QUERY_ID = "sql.streaming.queryId";

    private final long windowMs;

    private WindowFunction(long windowMs) {
        this.windowMs = windowMs;
    }

    /**
     * Returns the windows, and a row with no window for what each call counted.
     *
     * @param readings the columns of {@code IN} except the last, with a watermark on a column below them
     * @param windowMs length of a window
     */
    public static Dataset<Row> windows(Dataset<Row> readings, long windowMs) {
        // Spark drops late rows by the marked column before a function sees them. Marked is one that is never late, so that late
        // readings come here, where they can be told from repeated ones.
        Metadata mark = new MetadataBuilder().putLong(WATERMARK_KEY, 0).build();
        Column never = functions.lit("9999-12-31 00:00:00").cast(DataTypes.TimestampType).as("never", mark);
        return readings.withColumn("never", never)
                .select(Arrays.stream(IN.fieldNames()).map(functions::col).toArray(Column[]::new))
                .groupBy(functions.col("shard"))
                .as(Encoders.INT(), Encoders.row(IN))
                .flatMapGroupsWithState(
                        new WindowFunction(windowMs),
                        OutputMode.Append(),
                        Encoders.BINARY(),
                        Encoders.row(OUT),
                        GroupStateTimeout.EventTimeTimeout());
    }

    @Override
    public Iterator<Row> call(Integer shard, Iterator<Row> rows, GroupState<byte[]> state) {
        Batch batch = new Batch(state.exists() ? WindowShard.of(state.get()) : new WindowShard(), state.getCurrentWatermarkMs());
        if (!state.hasTimedOut()) {
            rows.forEachRemaining(batch::take);
        }
        List<Row> out = batch.leave();
        if (batch.shard.windows.isEmpty()) {
            if (state.exists()) {
                state.remove();
            }
        } else {
            state.update(batch.shard.toBytes());
            // A group times out once the watermark is above this.
            state.setTimeoutTimestamp(batch.firstEndMs - 1);
        }
        return out.iterator();
    }

    /** One call's work. */
    private final class Batch {
        final WindowShard shard;
        final long watermarkMs;
        /** Of the windows that stay. */
        long firstEndMs = Long.MAX_VALUE;

        private boolean heartbeat;
        private long late;
        private long duplicates;
        private long conflicts;

        Batch(WindowShard shard, long watermarkMs) {
            this.shard = shard;
            this.watermarkMs = watermarkMs;
        }

        void take(Row row) {
            if (row.isNullAt(1)) {
                heartbeat = true;
                return;
            }
            String deviceId = row.getString(1);
            String sensor = row.getString(2);
            long timeMs = row.getLong(3);
            double value = row.getDouble(4);
            int partition = row.getInt(6);
            long offset = row.getLong(7);
            long startMs = Math.floorDiv(timeMs, windowMs) * windowMs;
            if (startMs + windowMs <= watermarkMs) {
                String query = TaskContext.get().getLocalProperty(QUERY_ID);
                switch (LateReadings.of(String.valueOf(query)).add(deviceId, sensor, timeMs, value, partition, offset)) {
                    case LATE -> late++;
                    case REPEATED -> duplicates++;
                    case CORRECTED -> conflicts++;
                }
                return;
            }
            OpenWindow window =
                    shard.windows.computeIfAbsent(new WindowShard.Key(deviceId, sensor, startMs), key -> new OpenWindow());
            switch (window.put((int) (timeMs - startMs), value, row.getLong(5), partition, offset)) {
                case REPEATED -> duplicates++;
                case CORRECTED -> conflicts++;
                case ADDED -> {}
            }
        }

        List<Row> leave() {
            List<Row> out = new ArrayList<>();
            for (Iterator<Map.Entry<WindowShard.Key, OpenWindow>> all = shard.windows.entrySet().iterator(); all.hasNext(); ) {
                Map.Entry<WindowShard.Key, OpenWindow> entry = all.next();
                long endMs = entry.getKey().startMs() + windowMs;
                boolean closed = endMs <= watermarkMs;
                if ((closed || heartbeat) && !entry.getValue().written) {
                    out.add(row(entry.getKey(), entry.getValue()));
                    entry.getValue().written = true;
                }
                if (closed) {
                    all.remove();
                } else {
                    firstEndMs = Math.min(firstEndMs, endMs);
                }
            }
            if (late + duplicates + conflicts > 0) {
                out.add(RowFactory.create(null, null, null, null, null, null, null, late, duplicates, conflicts));
            }
            return out;
        }

        private Row row(WindowShard.Key key, OpenWindow window) {
            double[] summary = window.summary();
            return RowFactory.create(
                    key.startMs(), key.deviceId(), key.sensor(), summary[0], summary[1], summary[2], window.size(), 0L, 0L, 0L);
        }
    }
}
