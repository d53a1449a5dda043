package paai;

import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF3;

/**
 * Spark function (value, arrival in ms, settings) → (reason, device_id, sensor, time_ms, value): the reason of a refusal, or a reading.
 */
public final class ReadingFunction implements UDF3<byte[], Long, String, Row> {
    private static final long serialVersionUID = 1;

    /** The rule of the settings seen last; those of a query are always the same. */
    private transient volatile Known known;

    @Override
    public Row call(byte[] value, Long arrivalMs, String settings) {
        Known current = known;
        if (current == null || !current.settings.equals(settings)) {
            known = current = new Known(settings, new RecordRule(new RuleSettings(settings)));
        }
        Verdict verdict = current.rule.judge(value, arrivalMs == null ? -1 : arrivalMs);
        return verdict.code() != null
                ? RowFactory.create(verdict.code(), null, null, null, null)
                : RowFactory.create(null, verdict.deviceId(), verdict.sensor(), verdict.timeMs(), verdict.value());
    }

    private record Known(String settings, RecordRule rule) {}
}
