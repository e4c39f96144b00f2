//! Numbers and strings as Python's pickles spell them.

/// A number in decimal digits.
pub(super) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("it has the number `{text}`"))
}

/// A whole number of any length that fits, least byte first, in two's complement.
pub(super) fn signed(bytes: &[u8]) -> Result<i64, String> {
    let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut wide = [sign; 8];
    wide.get_mut(..bytes.len()).ok_or("it has a number of over 64 bits")?.copy_from_slice(bytes);
    Ok(i64::from_le_bytes(wide))
}

/// Undoes Python's backslash escapes.
pub(super) fn unescape(text: &str) -> Result<Vec<char>, String> {
    let mut characters = text.chars();
    let mut unescaped = Vec::with_capacity(text.len());
    while let Some(character) = characters.next() {
        if character != '\\' {
            unescaped.push(character);
            continue;
        }
        let digits = match characters.next() {
            Some('n') => {
                unescaped.push('\n');
                continue;
            }
            Some('r') => {
                unescaped.push('\r');
                continue;
            }
            Some('t') => {
                unescaped.push('\t');
                continue;
            }
            Some(same @ ('\\' | '\'' | '"')) => {
                unescaped.push(same);
                continue;
            }
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => return Err("it has an unknown escape".to_owned()),
        };
        let code: String = characters.by_ref().take(digits).collect();
        let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
        unescaped.push(code.ok_or("it has an escape of no character")?);
    }
    Ok(unescaped)
}
