package paai;

/**
 * What the record rule says of one record.
 *
 * @param code reason code of a refusal; null for a reading, and then the other components are set
 * @param timeMs milliseconds since the epoch
 */
record Verdict(String code, String deviceId, String sensor, long timeMs, double value) {
    static Verdict refused(String code) {
        return new Verdict(code, null, null, 0, 0);
    }
}
