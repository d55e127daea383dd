//! Finds the credentials among the headers.

use http::{HeaderMap, header};

use crate::{headers::X_API_KEY, problem::Problem};

/// What a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials<'a> {
    /// An API key.
    Key(&'a str),
    /// A token.
    Token(&'a str),
}

/// Longer than any key or token; nothing beyond is hashed.
const MAX_CREDENTIAL_BYTES: usize = 4_096;

/// The credentials of a request: `X-API-Key: KEY` or `Authorization: Bearer KEY_OR_JWT`.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, Problem> {
    let key = only(headers, &X_API_KEY)?.map(Credentials::Key);
    let bearer = only(headers, &header::AUTHORIZATION)?.map(bearer).transpose()?;
    match (key, bearer) {
        (Some(one), Some(other)) if one != other => {
            Err(Problem::unauthorized("x-api-key and authorization hold different credentials; send one of them"))
        }
        (Some(credentials), _) | (None, Some(credentials)) => Ok(credentials),
        (None, None) => {
            Err(Problem::unauthorized("send an API key in x-api-key, or a key or token in authorization: Bearer"))
        }
    }
}

fn bearer(value: &str) -> Result<Credentials<'_>, Problem> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthorized("authorization takes the scheme Bearer only"));
    }
    let text = rest.trim();
    // Tokens are three parts joined by dots. Keys have none, but for such as somebody brought along.
    let is_token = !text.starts_with("hc_") && text.bytes().filter(|&byte| byte == b'.').count() == 2;
    Ok(if is_token { Credentials::Token(text) } else { Credentials::Key(text) })
}

fn only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::unauthorized(format!("{name} is given more than once")));
    }
    match value.to_str() {
        Ok(text) if text.len() <= MAX_CREDENTIAL_BYTES => Ok(Some(text.trim())),
        _ => Err(Problem::unauthorized(format!("{name} holds no credentials"))),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        map
    }

    #[test]
    fn keys_and_tokens() {
        let found = |pairs: &[(&str, &[u8])]| match credentials(&headers(pairs)) {
            Ok(Credentials::Key(text)) => format!("key {text}"),
            Ok(Credentials::Token(text)) => format!("token {text}"),
            Err(problem) => problem.status.as_u16().to_string(),
        };
        assert_eq!(found(&[("x-api-key", b"hc_a_b")]), "key hc_a_b");
        assert_eq!(found(&[("authorization", b"Bearer hc_a_b")]), "key hc_a_b");
        assert_eq!(found(&[("authorization", b"bearer  a.b.c ")]), "token a.b.c");
        assert_eq!(found(&[("authorization", b"Bearer hc_a.b.c")]), "key hc_a.b.c");
        assert_eq!(found(&[("x-api-key", b"hc_a_b"), ("authorization", b"Bearer hc_a_b")]), "key hc_a_b");
        let refusals: [&[(&str, &[u8])]; 7] = [
            &[],
            &[("x-api-key", b"hc_a_b"), ("authorization", b"Bearer hc_a_c")],
            &[("x-api-key", b"hc_a_b"), ("authorization", b"Bearer a.b.c")],
            &[("x-api-key", b"hc_a_b"), ("x-api-key", b"hc_a_b")],
            &[("authorization", b"Basic dXNlcjpwYXNz")],
            &[("x-api-key", b"hc_\xff")],
            &[("x-api-key", &[b'x'; 5_000])],
        ];
        for refused in refusals {
            assert_eq!(found(refused), "401", "{refused:?}");
        }
    }
}
