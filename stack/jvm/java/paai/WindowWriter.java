package paai;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.ReplaceOneModel;
import com.mongodb.client.model.ReplaceOptions;
import com.mongodb.client.model.UpdateOneModel;
import com.mongodb.client.model.UpdateOptions;
import com.mongodb.client.model.WriteModel;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.ForeachWriter;
import org.apache.spark.sql.Row;
import org.bson.Document;

/**
 * Writes windows into MongoDB, each in the place of the one with its `_id`, so that a batch may be repeated.
 *
 * <p>A window from before a given time is written only where there is none: not all of its readings may be in the topic any more.
 */
public final class WindowWriter extends ForeachWriter<Row> {
    private static final long serialVersionUID = 1;

    private static final int BULK = 1000;
    /** One for each address, for the life of the executor: a new client costs a handshake. */
    private static final Map<String, MongoClient> CLIENTS = new ConcurrentHashMap<>();

    private final String uri;
    private final String database;
    private final String collection;
    private final long wholeFromMs;

    private transient List<WriteModel<Document>> waiting;

    /**
     * @param uri MongoDB's address; may hold a login
     * @param wholeFromMs windows that start earlier replace none
     */
    public WindowWriter(String uri, String database, String collection, long wholeFromMs) {
        this.uri = uri;
        this.database = database;
        this.collection = collection;
        this.wholeFromMs = wholeFromMs;
    }

    @Override
    public boolean open(long partition, long batch) {
        waiting = new ArrayList<>();
        return true;
    }

    @Override
    public void process(Row row) {
        Row window = row.getAs("window");
        Date start = date(window.getAs("start"));
        Document document =
                new Document("window", new Document("start", start).append("end", date(window.getAs("end"))))
                        .append("device_id", row.getAs("device_id"))
                        .append("sensor", row.getAs("sensor"))
                        .append("avg", row.getAs("avg"))
                        .append("min", row.getAs("min"))
                        .append("max", row.getAs("max"))
                        .append("count", row.getAs("count"));
        String id = row.getAs("_id");
        waiting.add(
                start.getTime() >= wholeFromMs
                        ? new ReplaceOneModel<>(Filters.eq(id), document.append("_id", id), new ReplaceOptions().upsert(true))
                        : new UpdateOneModel<>(
                                Filters.eq(id), new Document("$setOnInsert", document), new UpdateOptions().upsert(true)));
        if (waiting.size() >= BULK) {
            flush();
        }
    }

    @Override
    public void close(Throwable error) {
        if (error == null) {
            flush();
        }
        waiting = null;
    }

    /** Does not show the address, which may hold a password. */
    @Override
    public String toString() {
        return "WindowWriter(" + database + "." + collection + ")";
    }

    private void flush() {
        if (waiting == null || waiting.isEmpty()) {
            return;
        }
        CLIENTS.computeIfAbsent(uri, WindowWriter::connect)
                .getDatabase(database)
                .getCollection(collection)
                .bulkWrite(waiting, new BulkWriteOptions().ordered(false));
        waiting.clear();
    }

    private static MongoClient connect(String uri) {
        return MongoClients.create(
                MongoClientSettings.builder().applicationName("spark-job").applyConnectionString(new ConnectionString(uri)).build());
    }

    private static Date date(Timestamp time) {
        return new Date(time.getTime());
    }
}
