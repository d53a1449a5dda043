package paai;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.MongoInterruptedException;
import com.mongodb.MongoSecurityException;
import com.mongodb.MongoSocketReadTimeoutException;
import com.mongodb.MongoTimeoutException;
import com.mongodb.bulk.BulkWriteError;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.InsertOneModel;
import com.mongodb.client.model.UpdateOneModel;
import com.mongodb.client.model.UpdateOptions;
import com.mongodb.client.model.WriteModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.connect.errors.ConnectException;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonObjectId;
import org.bson.BsonString;
import org.bson.types.ObjectId;

/** The collection of raw readings, one document for each identity. */
final class ReadingStore implements AutoCloseable {
    private static final int DUPLICATE_KEY = 11000;

    /** BadValue, FailedToParse, TypeMismatch, InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge: a fault of the data. */
    private static final Set<Integer> DATA_CODES = Set.of(2, 9, 14, 22, 121, 10334);

    /**
     * No fault of the data, also where MongoDB reports it for a single document: HostUnreachable, HostNotFound, Unauthorized,
     * AuthenticationFailed, WriteConcernFailed, NetworkTimeout, ShutdownInProgress, WriteConflict, PrimarySteppedDown,
     * NotWritablePrimary, InterruptedAtShutdown, Interrupted, InterruptedDueToReplStateChange, OutOfDiskSpace.
     */
    private static final Set<Integer> OUTAGE_CODES = Set.of(6, 7, 13, 18, 64, 89, 91, 112, 189, 10107, 11600, 11601, 11602, 14031);

    private static final BulkWriteOptions UNORDERED = new BulkWriteOptions().ordered(false);
    private static final UpdateOptions UPSERT = new UpdateOptions().upsert(true);
    private static final List<String> IDENTITY_FIELDS = List.of("device_id", "sensor", "timestamp");

    private final MongoClient client;
    private final MongoCollection<BsonDocument> collection;
    private boolean hasUniqueIndex;
    /** Most of the last readings were stored already, as in a replay: then inserts that fail first would cost more. */
    private boolean expectsRepeats;

    ReadingStore(String uri, String database, String name) {
        client = MongoClients.create(uri);
        collection = client.getDatabase(database).getCollection(name, BsonDocument.class);
    }

    /**
     * Stores readings of different identities: inserts those that are new, replaces the value of those that are there.
     *
     * @param isKnown whether its identity is stored already, as far as that is known
     * @return what MongoDB refuses as data, and why
     * @throws MongoException in an outage; any part of the readings may be stored then
     */
    Map<Reading.Identity, String> store(List<Reading> readings, Predicate<Reading> isKnown) {
        checkIndex();
        Isolation isolation = new Isolation(isKnown);
        isolation.store(readings);
        // Where not one of several could be stored, it is not the readings.
        if (isolation.unclear != null && isolation.refused.size() == readings.size()) {
            throw isolation.unclear;
        }
        return isolation.refused;
    }

    /** Without the unique index a repeat would be stored twice. The operator makes it and restarts the task. */
    private void checkIndex() {
        if (hasUniqueIndex) {
            return;
        }
        for (BsonDocument index : collection.listIndexes(BsonDocument.class)) {
            boolean unique = index.getBoolean("unique", BsonBoolean.FALSE).getValue();
            hasUniqueIndex |= unique && List.copyOf(index.getDocument("key").keySet()).equals(IDENTITY_FIELDS);
        }
        if (!hasUniqueIndex) {
            throw new ConnectException(
                    "The collection " + collection.getNamespace() + " has no unique index on " + String.join(", ", IDENTITY_FIELDS) + " yet.");
        }
    }

    /** One call of {@link #store}: finds the readings for which MongoDB refuses a whole bulk write. */
    private final class Isolation {
        final Map<Reading.Identity, String> refused = new HashMap<>();
        private final Predicate<Reading> isKnown;
        private int upserted;
        MongoException unclear;

        Isolation(Predicate<Reading> isKnown) {
            this.isKnown = isKnown;
        }

        void store(List<Reading> readings) {
            try {
                storeTogether(readings);
            } catch (RuntimeException error) {
                if (isOutage(error)) {
                    throw error;
                }
                if (readings.size() > 1) {
                    int middle = readings.size() / 2;
                    store(readings.subList(0, middle));
                    store(readings.subList(middle, readings.size()));
                    return;
                }
                refused.put(readings.get(0).identity(), error.getMessage());
                if (error instanceof MongoException mongo && !DATA_CODES.contains(mongo.getCode())) {
                    unclear = mongo;
                }
            }
        }

        private void storeTogether(List<Reading> readings) {
            List<Reading> inserted = new ArrayList<>();
            List<Reading> replaced = new ArrayList<>();
            for (Reading reading : readings) {
                (expectsRepeats || isKnown.test(reading) ? replaced : inserted).add(reading);
            }
            List<Reading> duplicates = write(inserted, replaced);
            // No look at the stored value: MongoDB writes nothing where it is the same, and a question costs as much.
            if (!duplicates.isEmpty() && !write(List.of(), duplicates).isEmpty()) {
                throw new ConnectException("Another program stores the same readings; the task fails and stores them again.");
            }
            int repeats = expectsRepeats ? readings.size() - upserted : duplicates.size();
            expectsRepeats = 4 * repeats > 3 * readings.size();
        }

        /** Inserts some and replaces others in one bulk write. Returns those whose identity is stored already. */
        private List<Reading> write(List<Reading> inserted, List<Reading> replaced) {
            List<Reading> readings = new ArrayList<>(inserted);
            readings.addAll(replaced);
            List<Reading> duplicates = new ArrayList<>();
            if (readings.isEmpty()) {
                return duplicates;
            }
            List<WriteModel<BsonDocument>> writes = new ArrayList<>(readings.size());
            inserted.forEach(reading -> writes.add(new InsertOneModel<>(document(reading))));
            replaced.forEach(reading -> writes.add(replacement(reading)));
            try {
                upserted = collection.bulkWrite(writes, UNORDERED).getUpserts().size();
            } catch (MongoBulkWriteException error) {
                upserted = error.getWriteResult().getUpserts().size();
                if (error.getWriteConcernError() != null) {
                    throw error;
                }
                for (BulkWriteError one : error.getWriteErrors()) {
                    if (OUTAGE_CODES.contains(one.getCode())) {
                        throw error;
                    }
                    Reading reading = readings.get(one.getIndex());
                    if (one.getCode() == DUPLICATE_KEY) {
                        duplicates.add(reading);
                    } else {
                        refused.put(reading.identity(), one.getMessage() + " (code " + one.getCode() + ")");
                    }
                }
            }
            return duplicates;
        }
    }

    /** The time in the `_id` is that of storing: retention goes by it. */
    private static BsonDocument document(Reading reading) {
        BsonDocument document = new BsonDocument("_id", new BsonObjectId(new ObjectId()));
        document.putAll(identity(reading.identity()));
        return document.append("value", new BsonDouble(reading.value()));
    }

    private static BsonDocument identity(Reading.Identity identity) {
        return new BsonDocument("device_id", new BsonString(identity.deviceId()))
                .append("sensor", new BsonString(identity.sensor()))
                .append("timestamp", new BsonDateTime(identity.timeMs()));
    }

    /** Keeps the `_id`; inserts where retention has removed the reading meanwhile. */
    private static WriteModel<BsonDocument> replacement(Reading reading) {
        BsonDocument value = new BsonDocument("value", new BsonDouble(reading.value()));
        return new UpdateOneModel<>(identity(reading.identity()), new BsonDocument("$set", value), UPSERT);
    }

    /** Whether MongoDB cannot be asked, so that no smaller bulk write would tell more. */
    private static boolean isOutage(RuntimeException error) {
        return error instanceof ConnectException
                || error instanceof MongoTimeoutException
                || error instanceof MongoSocketReadTimeoutException
                || error instanceof MongoInterruptedException
                || error instanceof MongoSecurityException
                || error instanceof MongoBulkWriteException
                || error instanceof MongoCommandException command && OUTAGE_CODES.contains(command.getCode());
    }

    @Override
    public void close() {
        client.close();
    }
}
