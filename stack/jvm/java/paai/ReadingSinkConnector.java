package paai;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** The sink for readings; see {@link ReadingSinkTask}. */
public class ReadingSinkConnector extends SinkConnector {
    static final String URI = "connection.uri";
    static final String DATABASE = "database";
    static final String COLLECTION = "collection";
    static final ConfigDef CONFIG =
            new ConfigDef()
                    // Not a password to Connect: the operator compares what Connect answers with what it wants.
                    .define(URI, ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "MongoDB, with the write concern.")
                    .define(DATABASE, ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "Database of the readings.")
                    .define(COLLECTION, ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "Collection of the readings.");

    private Map<String, String> properties;

    @Override
    public void start(Map<String, String> given) {
        properties = Map.copyOf(given);
    }

    @Override
    public Class<? extends Task> taskClass() {
        return ReadingSinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return Collections.nCopies(maxTasks, properties);
    }

    @Override
    public void stop() {}

    @Override
    public ConfigDef config() {
        return CONFIG;
    }

    @Override
    public String version() {
        return "1";
    }
}
