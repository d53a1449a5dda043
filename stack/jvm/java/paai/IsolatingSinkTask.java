package paai;

import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.MongoTimeoutException;
import com.mongodb.kafka.connect.sink.MongoSinkTask;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * A task that finds the records for which MongoDB refuses a whole bulk write and makes a dead letter of each, instead of failing
 * with all that came along. Writing again is safe: each identity is replaced, by the record that arrived last.
 *
 * <p>An outage fails the task as before, since then no record can be stored.
 */
public final class IsolatingSinkTask extends MongoSinkTask {
    /** BadValue, FailedToParse, TypeMismatch, InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge: a fault of the data. */
    private static final Set<Integer> DATA_CODES = Set.of(2, 9, 14, 22, 121, 10334);

    private final LatestReadings latest = new LatestReadings();

    @Override
    public void put(Collection<SinkRecord> records) {
        List<SinkRecord> readings = latest.of(records);
        try {
            super.put(readings);
        } catch (DataException error) {
            isolate(readings, error);
        }
    }

    private void isolate(List<SinkRecord> records, DataException error) {
        List<SinkRecord> refused = new ArrayList<>();
        List<DataException> reasons = new ArrayList<>();
        split(records, error, refused, reasons);
        // Where not one of several could be stored, it is not the records.
        if (refused.size() == records.size() && !reasons.stream().allMatch(IsolatingSinkTask::isFaultOfTheData)) {
            throw error;
        }
        for (int i = 0; i < refused.size(); i++) {
            String reason = mongo(reasons.get(i)) == null ? reasons.get(i).getMessage() : mongo(reasons.get(i)).getMessage();
            context.errantRecordReporter().report(refused.get(i), new DataException("not_stored: MongoDB refuses the record: " + reason));
        }
    }

    /** Stores what can be stored of records that failed together; adds the others to {@code refused}. */
    private void split(List<SinkRecord> records, DataException error, List<SinkRecord> refused, List<DataException> reasons) {
        if (mongo(error) instanceof MongoTimeoutException) {
            throw error; // nobody to ask
        }
        if (records.size() == 1) {
            refused.add(records.get(0));
            reasons.add(error);
            return;
        }
        int middle = records.size() / 2;
        for (List<SinkRecord> half : List.of(records.subList(0, middle), records.subList(middle, records.size()))) {
            try {
                super.put(half);
            } catch (DataException again) {
                split(half, again, refused, reasons);
            }
        }
    }

    private static boolean isFaultOfTheData(DataException error) {
        MongoException cause = mongo(error);
        return cause == null || cause instanceof MongoCommandException && DATA_CODES.contains(cause.getCode());
    }

    private static MongoException mongo(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof MongoException found) {
                return found;
            }
        }
        return null;
    }
}
