package paai;

import java.util.Date;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * Turns the bytes of a record into the four fields of a reading. What is no reading fails with "code: sentence", which becomes the
 * message of its dead letter.
 */
public final class ReadingTransform<R extends ConnectRecord<R>> implements Transformation<R> {
    private static final String SETTINGS = "settings";
    private static final ConfigDef CONFIG =
            new ConfigDef()
                    .define(SETTINGS, ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "The record rule's settings, a JSON object.");
    private static final Schema SCHEMA =
            SchemaBuilder.struct()
                    .field("device_id", Schema.STRING_SCHEMA)
                    .field("sensor", Schema.STRING_SCHEMA)
                    .field("timestamp", Timestamp.SCHEMA)
                    .field("value", Schema.FLOAT64_SCHEMA)
                    .build();

    private RuleSettings settings;
    private RecordRule rule;

    @Override
    public void configure(Map<String, ?> properties) {
        settings = new RuleSettings((String) CONFIG.parse(properties).get(SETTINGS));
        rule = new RecordRule(settings);
    }

    @Override
    public R apply(R kafka) {
        // A record without a timestamp has arrived before every reading.
        long arrivalMs = kafka.timestamp() == null ? -1 : kafka.timestamp();
        Verdict verdict = rule.judge((byte[]) kafka.value(), arrivalMs);
        if (verdict.code() != null) {
            throw new DataException(verdict.code() + ": " + settings.sentences.get(verdict.code()));
        }
        Struct reading =
                new Struct(SCHEMA)
                        .put("device_id", verdict.deviceId())
                        .put("sensor", verdict.sensor())
                        .put("timestamp", new Date(verdict.timeMs()))
                        .put("value", verdict.value());
        return kafka.newRecord(
                kafka.topic(), kafka.kafkaPartition(), kafka.keySchema(), kafka.key(), SCHEMA, reading, kafka.timestamp());
    }

    @Override
    public ConfigDef config() {
        return CONFIG;
    }

    @Override
    public void close() {}
}
