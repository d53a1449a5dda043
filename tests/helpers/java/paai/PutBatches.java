package paai;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTaskContext;

/**
 * Gives batches from standard input to the sink's task; the other side of tests/helpers/java_sink.py. Arguments: URI, database and
 * collection. A batch of -2 records starts the task anew; one of -3 lets 11 minutes pass.
 */
final class PutBatches {
    private static final Schema SCHEMA =
            SchemaBuilder.struct()
                    .field("device_id", Schema.STRING_SCHEMA)
                    .field("sensor", Schema.STRING_SCHEMA)
                    .field("timestamp", Timestamp.SCHEMA)
                    .field("value", Schema.FLOAT64_SCHEMA)
                    .build();

    private final List<String> letters = new ArrayList<>();
    private final Map<String, String> properties;
    private ReadingSinkTask task;
    private long passedNs;

    private PutBatches(Map<String, String> properties) {
        this.properties = properties;
        begin();
    }

    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        PutBatches sink =
                new PutBatches(Map.of("connection.uri", arguments[0], "database", arguments[1], "collection", arguments[2]));
        DataOutputStream out = new DataOutputStream(System.out);
        for (int count = in.readInt(); count != -1; count = in.readInt()) {
            if (count == -2) {
                sink.task.stop();
                sink.begin();
                continue;
            }
            if (count == -3) {
                sink.passedNs += TimeUnit.MINUTES.toNanos(11);
                continue;
            }
            List<SinkRecord> records = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                records.add(record(in));
            }
            String failure = sink.put(records);
            out.writeUTF(failure);
            out.writeInt(sink.letters.size());
            for (String letter : sink.letters) {
                out.writeUTF(letter);
            }
            sink.letters.clear();
            out.flush();
        }
    }

    private static SinkRecord record(DataInputStream in) throws IOException {
        int partition = in.readInt();
        long offset = in.readLong();
        long arrivalMs = in.readLong();
        Struct reading =
                new Struct(SCHEMA)
                        .put("device_id", in.readUTF())
                        .put("sensor", in.readUTF())
                        .put("timestamp", new Date(in.readLong()))
                        .put("value", in.readDouble());
        return new SinkRecord("t", partition, null, null, SCHEMA, reading, offset, arrivalMs, TimestampType.LOG_APPEND_TIME);
    }

    private void begin() {
        ErrantRecordReporter reporter =
                (record, error) -> {
                    letters.add(record.kafkaPartition() + ":" + record.kafkaOffset() + " " + error.getMessage());
                    return CompletableFuture.completedFuture(null);
                };
        ClassLoader loader = PutBatches.class.getClassLoader();
        Class<?>[] context = {SinkTaskContext.class};
        task = new ReadingSinkTask(() -> System.nanoTime() + passedNs);
        task.initialize((SinkTaskContext) Proxy.newProxyInstance(loader, context, (proxy, method, given) -> reporter));
        task.start(properties);
    }

    private String put(List<SinkRecord> records) {
        try {
            task.put(records);
            return "";
        } catch (RuntimeException error) {
            return String.valueOf(error.getMessage());
        }
    }
}
