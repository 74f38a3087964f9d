//! Dates and times of UTC, for people. Knows neither the clock nor time zones.

use bytekiln_project::Date;

const DAY: i64 = 86_400;

/// Days since 1970-01-01 to a date, by eras of 400 years that begin in March. Years outside of
/// what a [`Date`] holds become its nearest.
pub(crate) fn date_of_day(day: i64) -> Date {
    let shifted = day.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Date {
        year: u16::try_from(year.max(0)).unwrap_or(u16::MAX),
        month: u8::try_from(month).unwrap_or(1),
        day: u8::try_from(day_of_month).unwrap_or(1),
    }
}

/// Seconds since 1970 as `2024-02-29 12:00:00`.
pub(crate) fn date_and_time(seconds: i64) -> String {
    let second = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let date = date_of_day(seconds.div_euclid(DAY));
    format!("{date} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (day, expect) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (20_088, "2024-12-31"),
            (20_779, "2026-11-22"),
        ] {
            assert_eq!(date_of_day(day).to_string(), expect);
        }
    }

    #[test]
    fn seconds_become_dates_and_times() {
        for (seconds, expect) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_208_061, "2024-02-29 12:01:01"),
            (4_039_372_800, "2098-01-01 00:00:00"),
            (u32::MAX.into(), "2106-02-07 06:28:15"),
        ] {
            assert_eq!(date_and_time(seconds), expect);
        }
    }

    #[test]
    fn no_seconds_are_too_many() {
        for seconds in [i64::MIN, i64::MAX] {
            assert!(!date_and_time(seconds).is_empty());
        }
    }
}
