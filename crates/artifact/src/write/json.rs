//! JSON as the files of an image have it: written, never read; keys in the order in which they are
//! named, no spaces. Knows nothing of images.

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Json {
    Text(String),
    Number(u64),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    pub(super) fn texts(texts: &[String]) -> Json {
        Json::List(texts.iter().map(Json::text).collect())
    }

    /// An object of those that are there.
    pub(super) fn object<const N: usize>(fields: [(&str, Option<Json>); N]) -> Json {
        let fields = fields.into_iter();
        Json::Object(fields.filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Json::Text(text) => write_text(text, f),
            Json::Number(number) => write!(f, "{number}"),
            Json::List(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    f.write_str(if at > 0 { "," } else { "" })?;
                    value.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Object(fields) => {
                f.write_str("{")?;
                for (at, (key, value)) in fields.iter().enumerate() {
                    f.write_str(if at > 0 { "," } else { "" })?;
                    write_text(key, f)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(text: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    use std::fmt::Write as _;
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\u{0}'..'\u{20}' | '\u{7f}' => write!(f, "\\u{:04x}", u32::from(character))?,
            _ => f.write_char(character)?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let json = Json::object([
            ("a\"b", Some(Json::text("\\\n\u{7f}é"))),
            ("none", None),
            ("list", Some(Json::List(vec![Json::Number(1), Json::texts(&[])]))),
        ]);
        assert_eq!(json.to_string(), r#"{"a\"b":"\\\u000a\u007fé","list":[1,[]]}"#);
    }
}
