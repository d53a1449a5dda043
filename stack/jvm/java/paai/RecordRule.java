package paai;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Which records of {@code processed_messages} are readings: the rule of tests/conformance/README.md, word for word the same as
 * backend/contract/records.py. Keeps nothing between calls; safe for several threads.
 */
final class RecordRule {
    private final RuleSettings settings;
    private final JsonFactory json;

    RecordRule(RuleSettings settings) {
        this.settings = settings;
        // A text is at most maxBytes long, so that no other limit than the depth is ever reached. Without canonical names there
        // is no shared table of names that keys made to collide could overflow.
        json =
                JsonFactory.builder()
                        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                        .streamReadConstraints(
                                StreamReadConstraints.builder()
                                        .maxNestingDepth(settings.maxLevels)
                                        .maxNumberLength(settings.maxBytes)
                                        .maxStringLength(settings.maxBytes)
                                        .maxNameLength(settings.maxBytes)
                                        .build())
                        .build();
    }

    /**
     * Judges one record.
     *
     * @param value the record's value; null for a tombstone
     * @param arrivalMs the broker's timestamp of the record, milliseconds since the epoch
     */
    Verdict judge(byte[] value, long arrivalMs) {
        if (value == null || value.length == 0) {
            return Verdict.refused("no_value");
        }
        if (value.length > settings.maxBytes) {
            return Verdict.refused("too_large");
        }
        if (value.length >= 3 && value[0] == (byte) 0xEF && value[1] == (byte) 0xBB && value[2] == (byte) 0xBF) {
            return Verdict.refused("byte_order_mark");
        }
        CharBuffer text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)); // a new decoder reports, it replaces nothing
        } catch (CharacterCodingException error) {
            return Verdict.refused("not_utf8");
        }
        Fields fields = new Fields();
        String fault = read(text, fields);
        return fault == null ? judge(fields, arrivalMs) : Verdict.refused(fault);
    }

    private Verdict judge(Fields fields, long arrivalMs) {
        if (fields.deviceId == null || !isDeviceId(fields.deviceId)) {
            return Verdict.refused("device_id");
        }
        double[] range = fields.sensor == null ? null : settings.ranges.get(fields.sensor);
        if (range == null) {
            return Verdict.refused("sensor");
        }
        long timeMs = fields.timestamp == null ? WireTime.INVALID : WireTime.parse(fields.timestamp);
        if (timeMs < settings.firstTimeMs) {
            return Verdict.refused("timestamp");
        }
        if (timeMs > arrivalMs + settings.aheadMs) {
            return Verdict.refused("future");
        }
        if (fields.number == null) {
            return Verdict.refused("value");
        }
        double value = Double.parseDouble(fields.number);
        if (value < range[0] || value > range[1]) {
            return Verdict.refused("range");
        }
        return new Verdict(null, fields.deviceId, fields.sensor, timeMs, value);
    }

    private boolean isDeviceId(String text) {
        // Most characters take one char: counted only where that decides.
        if (text.isEmpty() || text.length() > 2 * settings.maxDeviceIdChars) {
            return false;
        }
        int count = 0;
        for (int i = 0; i < text.length(); count++) {
            int point = text.codePointAt(i);
            if ((point < ' ' || point > '~') && isNonPrintable(point)) {
                return false;
            }
            i += Character.charCount(point);
        }
        return count <= settings.maxDeviceIdChars;
    }

    private boolean isNonPrintable(int point) {
        int found = Arrays.binarySearch(settings.nonPrintable, point);
        // Not a bound of a range: inside one where an odd number of bounds is smaller.
        return found >= 0 || (-found - 1) % 2 == 1;
    }

    /**
     * Reads the whole text.
     *
     * @param fields gets what the rule looks at, should the text be an object
     * @return the code of the first fault; null where there is none
     */
    private String read(CharBuffer text, Fields fields) {
        int depth = 0;
        boolean isObject = false;
        try (JsonParser parser = json.createParser(text.array(), text.arrayOffset(), text.remaining())) {
            try {
                do {
                    JsonToken token = parser.nextToken();
                    if (token == null) {
                        return "not_json"; // nothing but white space
                    }
                    if (depth == 0) {
                        isObject = token == JsonToken.START_OBJECT;
                    } else if (depth == 1 && isObject && token != JsonToken.FIELD_NAME && token != JsonToken.END_OBJECT) {
                        fields.take(parser.currentName(), token, parser);
                    }
                    if (token == JsonToken.FIELD_NAME && hasLoneSurrogate(parser.currentName())
                            || token == JsonToken.VALUE_STRING && hasLoneSurrogate(parser.getText())) {
                        return "lone_surrogate";
                    }
                    depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                } while (depth > 0);
            } catch (StreamConstraintsException error) {
                return "too_deep";
            } catch (IOException error) {
                // The parser looks at a key's value before it hands out the key.
                String key = parser.getParsingContext().getCurrentName();
                return key != null && hasLoneSurrogate(key) ? "lone_surrogate" : "not_json";
            }
            if (endsHere(parser)) {
                return isObject ? null : "not_object";
            }
            return isObject ? "trailing_text" : "not_json";
        } catch (IOException error) {
            throw new IllegalStateException("a parser of characters failed to close", error);
        }
    }

    private static boolean endsHere(JsonParser parser) {
        try {
            return parser.nextToken() == null;
        } catch (IOException error) {
            return false;
        }
    }

    private static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (!Character.isHighSurrogate(c) || ++i == text.length() || !Character.isLowSurrogate(text.charAt(i))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The four fields, each null until a value of the right kind was read; of a repeated key the last counts. */
    private static final class Fields {
        String deviceId;
        String sensor;
        String timestamp;
        String number;

        void take(String key, JsonToken token, JsonParser parser) throws IOException {
            switch (key) {
                case "device_id" -> deviceId = token == JsonToken.VALUE_STRING ? parser.getText() : null;
                case "sensor" -> sensor = token == JsonToken.VALUE_STRING ? parser.getText() : null;
                case "timestamp" -> timestamp = token == JsonToken.VALUE_STRING ? parser.getText() : null;
                case "value" -> number = token.isNumeric() ? parser.getText() : null;
                default -> {}
            }
        }
    }
}
