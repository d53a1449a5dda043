package paai;

import com.mongodb.kafka.connect.MongoSinkConnector;
import org.apache.kafka.connect.connector.Task;

/** The MongoDB sink with tasks that isolate what fails a whole bulk write; see {@link IsolatingSinkTask}. */
public final class IsolatingSinkConnector extends MongoSinkConnector {
    @Override
    public Class<? extends Task> taskClass() {
        return IsolatingSinkTask.class;
    }
}
