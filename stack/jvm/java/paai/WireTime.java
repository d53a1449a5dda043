package paai;

import java.time.LocalDate;
import java.time.YearMonth;

/** Timestamps of the wire form: {@code YYYY-MM-DDTHH:MM:SS.mmmZ}. */
final class WireTime {
    /** Returned for a text that is no moment in the wire form; far before every accepted one. */
    static final long INVALID = Long.MIN_VALUE;

    private static final String FORM = "0000-00-00T00:00:00.000Z";
    private static final long DAY_MS = 86_400_000L;

    private WireTime() {}

    /** Returns milliseconds since the epoch, or {@link #INVALID}. */
    static long parse(String text) {
        if (text.length() != FORM.length()) {
            return INVALID;
        }
        for (int i = 0; i < FORM.length(); i++) {
            char wanted = FORM.charAt(i);
            char found = text.charAt(i);
            if (wanted == '0' ? found < '0' || found > '9' : found != wanted) {
                return INVALID;
            }
        }
        int year = number(text, 0, 4);
        int month = number(text, 5, 7);
        int day = number(text, 8, 10);
        int hour = number(text, 11, 13);
        int minute = number(text, 14, 16);
        int second = number(text, 17, 19);
        if (month < 1 || month > 12 || day < 1 || day > 28 && day > YearMonth.of(year, month).lengthOfMonth()) {
            return INVALID;
        }
        if (hour > 23 || minute > 59 || second > 59) {
            return INVALID;
        }
        long secondOfDay = hour * 3600L + minute * 60L + second;
        return LocalDate.of(year, month, day).toEpochDay() * DAY_MS + secondOfDay * 1000 + number(text, 20, 23);
    }

    private static int number(String text, int begin, int end) {
        int total = 0;
        for (int i = begin; i < end; i++) {
            total = 10 * total + text.charAt(i) - '0';
        }
        return total;
    }
}
