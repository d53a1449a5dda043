package paai;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Judges batches of records from standard input; the other side of tests/helpers/java_rule.py. The settings come first. */
final class JudgeBatches {
    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        RecordRule rule = new RecordRule(new RuleSettings(new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8)));
        while (true) {
            int count = in.readInt();
            if (count < 0) {
                return;
            }
            // Written when all is read, so that neither side ever waits for the other.
            ByteArrayOutputStream buffer = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(buffer);
            for (int i = 0; i < count; i++) {
                long arrivalMs = in.readLong();
                int length = in.readInt();
                Verdict verdict = rule.judge(length < 0 ? null : in.readNBytes(length), arrivalMs);
                write(out, verdict.code() == null ? "" : verdict.code());
                if (verdict.code() == null) {
                    write(out, verdict.deviceId());
                    write(out, verdict.sensor());
                    out.writeLong(verdict.timeMs());
                    out.writeDouble(verdict.value());
                }
            }
            buffer.writeTo(System.out);
            System.out.flush();
        }
    }

    private static void write(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private JudgeBatches() {}
}
