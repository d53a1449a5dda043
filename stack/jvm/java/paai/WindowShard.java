package paai;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

/** The open windows of one shard: state of {@link WindowFunction}, kept as bytes. */
final class WindowShard {
    /** Written first; the version in spark/checkpoint_version.py is raised with it. */
    private static final int FORMAT = 1;

    /** The windows by what they are about. */
    final Map<Key, OpenWindow> windows = new HashMap<>();

    record Key(String deviceId, String sensor, long startMs) {}

    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 + 256 * windows.size());
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(FORMAT);
            out.writeInt(windows.size());
            for (Map.Entry<Key, OpenWindow> entry : windows.entrySet()) {
                out.writeUTF(entry.getKey().deviceId());
                out.writeUTF(entry.getKey().sensor());
                out.writeLong(entry.getKey().startMs());
                entry.getValue().write(out);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return bytes.toByteArray();
    }

    static WindowShard of(byte[] bytes) {
        WindowShard shard = new WindowShard();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int format = in.readByte();
            if (format != FORMAT) {
                throw new IllegalStateException("the state of the windows has format " + format + ", expected " + FORMAT);
            }
            for (int left = in.readInt(); left > 0; left--) {
                Key key = new Key(in.readUTF(), in.readUTF(), in.readLong());
                shard.windows.put(key, OpenWindow.read(in));
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return shard;
    }
}
