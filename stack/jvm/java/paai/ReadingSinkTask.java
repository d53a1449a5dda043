package paai;

import com.mongodb.MongoException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/**
 * Stores readings: one insert each in the normal case. What the database refuses as data becomes a dead letter, its neighbours are
 * stored. An outage fails the task with its offsets uncommitted, since then no record can be stored; storing again is safe.
 */
public final class ReadingSinkTask extends SinkTask {
    private final LatestReadings latest;
    private ReadingStore store;

    public ReadingSinkTask() {
        this(System::nanoTime);
    }

    ReadingSinkTask(LongSupplier clockNs) {
        latest = new LatestReadings(clockNs);
    }

    @Override
    public void start(Map<String, String> properties) {
        AbstractConfig config = new AbstractConfig(ReadingSinkConnector.CONFIG, properties, false);
        store =
                new ReadingStore(
                        config.getString(ReadingSinkConnector.URI),
                        config.getString(ReadingSinkConnector.DATABASE),
                        config.getString(ReadingSinkConnector.COLLECTION));
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        List<Reading> readings = latest.newest(records);
        while (!readings.isEmpty()) {
            Map<Reading.Identity, String> refused;
            try {
                refused = store.store(readings, latest::isKnown);
            } catch (MongoException error) {
                throw new ConnectException("MongoDB does not store readings: " + error.getMessage(), error);
            }
            List<Reading> replaced = new ArrayList<>();
            for (Reading reading : readings) {
                String reason = refused.get(reading.identity());
                if (reason == null) {
                    latest.remember(reading);
                    continue;
                }
                DataException letter = new DataException("not_stored: MongoDB refuses the record: " + reason);
                context.errantRecordReporter().report(reading.record(), letter);
                if (reading.earlier() != null) {
                    replaced.add(reading.earlier());
                }
            }
            readings = replaced;
        }
    }

    @Override
    public void stop() {
        if (store != null) {
            store.close();
        }
    }

    @Override
    public String version() {
        return "1";
    }
}
