//! Where a running system is.

use http::Uri;

use super::ClientError;

/// A URL of a running system, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl(String);

impl BaseUrl {
    pub(super) fn parse(text: &str) -> Result<Self, ClientError> {
        let bad = |reason: &str| ClientError::BadUrl { url: text.to_owned(), reason: reason.to_owned() };
        let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| bad(&error.to_string()))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(ClientError::TlsNotSpoken { url: text.to_owned() }),
            _ => return Err(bad("it has to begin with http://")),
        }
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("credentials don't belong into it, the key comes from HINDCAST_API_KEY"));
        }
        if uri.query().is_some() {
            return Err(bad("it has a query"));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_with_one_slash() {
        for url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
            assert_eq!(BaseUrl::parse(url).unwrap().join("/health"), "http://127.0.0.1:8080/health");
        }
        assert_eq!(BaseUrl::parse("http://proxy/hindcast/").unwrap().join("/health"), "http://proxy/hindcast/health");
    }

    #[test]
    fn what_is_no_url_says_why() {
        assert!(matches!(BaseUrl::parse("https://example.com"), Err(ClientError::TlsNotSpoken { .. })));
        for bad in ["127.0.0.1:8080", "ftp://host", "http://", "http://key@host", "http://host/?a=b", "not a url", ""] {
            assert!(matches!(BaseUrl::parse(bad), Err(ClientError::BadUrl { .. })), "{bad}");
        }
    }
}
