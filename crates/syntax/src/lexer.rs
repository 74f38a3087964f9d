//! Python source as a row of tokens, roughly: enough to count them and to find strings and names.
//! Knows nothing of grammar; text that is no Python gives some tokens too.

/// A piece of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// An identifier, keyword or number.
    Word(&'a [u8]),
    /// The text between the quotes, as it is written.
    Text(&'a [u8]),
    /// An operator, bracket or other sign.
    Sign(u8),
    /// The end of a line that has tokens, and no open bracket.
    LineEnd,
}

/// Tokens with the line that they begin in, from 1.
#[derive(Debug)]
pub struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    line: u32,
    line_has_tokens: bool,
    /// Brackets that are open.
    depth: u32,
}

impl<'a> Lexer<'a> {
    /// From the beginning.
    pub fn new(source: &'a [u8]) -> Lexer<'a> {
        Lexer { source, at: 0, line: 1, line_has_tokens: false, depth: 0 }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at.checked_add(ahead)?).copied()
    }

    /// Moves on while `wanted`; what was passed.
    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.source.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// The text of a string whose first quote is here.
    fn text(&mut self, quote: u8) -> &'a [u8] {
        let triple = self.byte(1) == Some(quote) && self.byte(2) == Some(quote);
        self.at += if triple { 3 } else { 1 };
        let start = self.at;
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\\' => {
                    self.line += u32::from(self.byte(1) == Some(b'\n'));
                    self.at += 2;
                    continue;
                }
                b'\n' if !triple => break,
                b'\n' => self.line = self.line.saturating_add(1),
                _ if byte == quote => {
                    let ends = self.byte(1) == Some(quote) && self.byte(2) == Some(quote);
                    if !triple || ends {
                        let text = self.source.get(start..self.at).unwrap_or_default();
                        self.at += if triple { 3 } else { 1 };
                        return text;
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        self.source.get(start..self.at.min(self.source.len())).unwrap_or_default()
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = (Token<'a>, u32);

    fn next(&mut self) -> Option<(Token<'a>, u32)> {
        loop {
            let byte = self.byte(0)?;
            let line = self.line;
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line = self.line.saturating_add(1);
                    if self.depth == 0 && std::mem::take(&mut self.line_has_tokens) {
                        return Some((Token::LineEnd, line));
                    }
                }
                b' ' | b'\t' | b'\r' | b'\x0c' => self.at += 1,
                b'\\' if self.byte(1) == Some(b'\n') => {
                    self.at += 2;
                    self.line = self.line.saturating_add(1);
                }
                b'#' => {
                    self.take_while(|byte| byte != b'\n');
                }
                b'"' | b'\'' => {
                    self.line_has_tokens = true;
                    return Some((Token::Text(self.text(byte)), line));
                }
                _ if is_word(byte) => {
                    self.line_has_tokens = true;
                    let word = self.take_while(is_word);
                    // A prefix such as `rb` belongs to its string.
                    if word.len() <= 2
                        && word.iter().all(|byte| b"rRbBuUfFtT".contains(byte))
                        && let Some(quote @ (b'"' | b'\'')) = self.byte(0)
                    {
                        return Some((Token::Text(self.text(quote)), line));
                    }
                    return Some((Token::Word(word), line));
                }
                _ => {
                    self.line_has_tokens = true;
                    self.at += 1;
                    match byte {
                        b'(' | b'[' | b'{' => self.depth = self.depth.saturating_add(1),
                        b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                        _ => {}
                    }
                    // `**=`, `->`, `:=` and the like are one.
                    let more = |byte| b"=<>*/".contains(&byte);
                    if !b"()[]{},:;.@~".contains(&byte)
                        || (byte == b':' && self.byte(0) == Some(b'='))
                    {
                        while self.byte(0).is_some_and(more) {
                            self.at += 1;
                        }
                    }
                    return Some((Token::Sign(byte), line));
                }
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, expected: &Expect) {
        let mut out = String::new();
        for (token, line) in Lexer::new(source.as_bytes()) {
            out += &match token {
                Token::Word(word) => format!("{line} {}\n", word.escape_ascii()),
                Token::Text(text) => format!("{line} \"{}\"\n", text.escape_ascii()),
                Token::Sign(sign) => format!("{line} {}\n", char::from(sign)),
                Token::LineEnd => format!("{line} end\n"),
            };
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn tokens() {
        check(
            "# x\nif a:=1 ** 2: # y\n\n  rb'q\\'' \"\"\"a\n\"b\"\"\"\nz\\\n.y",
            &expect![[r#"
                2 if
                2 a
                2 :
                2 1
                2 *
                2 2
                2 :
                2 end
                4 "q\\\'"
                4 "a\n\"b"
                5 end
                6 z
                7 .
                7 y
            "#]],
        );
        check(
            "'open\nx \"\"\"open\n",
            &expect![[r#"
            1 "open"
            1 end
            2 x
            2 "open\n"
        "#]],
        );
        check(
            "'\\",
            &expect![[r#"
            1 "\\"
        "#]],
        );
    }
}
