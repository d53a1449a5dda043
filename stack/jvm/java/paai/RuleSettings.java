package paai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/** Settings of the record rule, as backend/contract/rule_settings.py writes them: one JSON object. */
final class RuleSettings {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Smallest and largest accepted value by sensor, inclusive. */
    final Map<String, double[]> ranges = new HashMap<>();
    /** Sentence by reason code. */
    final Map<String, String> sentences = new HashMap<>();
    /** First and last code point of each range of non-printable ones, ascending. */
    final int[] nonPrintable;
    final int maxBytes;
    final int maxLevels;
    final int maxDeviceIdChars;
    final long firstTimeMs;
    final long aheadMs;

    /**
     * @param json the settings
     * @throws IllegalArgumentException the text is not such an object
     */
    RuleSettings(String json) {
        JsonNode root;
        try {
            root = MAPPER.readTree(json);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException("the record rule's settings are not JSON", error);
        }
        for (Iterator<Map.Entry<String, JsonNode>> all = required(root, "ranges").fields(); all.hasNext(); ) {
            Map.Entry<String, JsonNode> entry = all.next();
            ranges.put(entry.getKey(), new double[] {entry.getValue().get(0).doubleValue(), entry.getValue().get(1).doubleValue()});
        }
        for (Iterator<Map.Entry<String, JsonNode>> all = required(root, "sentences").fields(); all.hasNext(); ) {
            Map.Entry<String, JsonNode> entry = all.next();
            sentences.put(entry.getKey(), entry.getValue().textValue());
        }
        JsonNode listed = required(root, "non_printable");
        nonPrintable = new int[2 * listed.size()];
        for (int i = 0; i < listed.size(); i++) {
            nonPrintable[2 * i] = listed.get(i).get(0).intValue();
            nonPrintable[2 * i + 1] = listed.get(i).get(1).intValue();
        }
        maxBytes = required(root, "max_bytes").intValue();
        maxLevels = required(root, "max_levels").intValue();
        maxDeviceIdChars = required(root, "max_device_id_chars").intValue();
        firstTimeMs = required(root, "first_time_ms").longValue();
        aheadMs = required(root, "ahead_ms").longValue();
    }

    private static JsonNode required(JsonNode root, String key) {
        JsonNode found = root.get(key);
        if (found == null || found.isNull()) {
            throw new IllegalArgumentException("the record rule's settings lack " + key);
        }
        return found;
    }
}
