//! Configuration files with words to fill in.

/// Puts values in place of `@NAME@`.
pub(crate) fn fill(template: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

/// Lines that are neither empty nor comments.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_and_comments_left_out() {
        let filled = fill("# @A@\n\na=@A@ b=@B@ @C@", &[("A", "1".to_owned()), ("B", "2".to_owned())]);
        assert_eq!(lines(&filled).collect::<Vec<_>>(), ["a=1 b=2 @C@"]);
    }
}
