//! The routes of the API that the commands use, typed.

use serde::Serialize;

use super::{
    Answer, Call, Client, ClientError,
    bodies::{BatchResults, Confidence, CreatedKey, KeyRequest, ListedKey, ListedKeys, SignalBody, TradeBody},
};

impl Client {
    /// Asks how much confidence a signal deserves, with a history up to an earlier write.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn confidence(&self, signal: &SignalBody<'_>, after: Option<&Answer>) -> Result<Confidence, ClientError> {
        self.fetch(&Call::post_event("/v1/confidence", json(signal)?).after(after)).await
    }

    /// Reports a closed trade. The answer's position can be given to later reads.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn trade(&self, trade: &TradeBody<'_>) -> Result<Answer, ClientError> {
        self.send(&Call::post_event("/v1/trades", json(trade)?)).await
    }

    /// Reports a batch of events, one line of JSON each.
    ///
    /// # Errors
    /// As [`Client::send`]; what is wrong with single events is in their results.
    pub async fn events(&self, ndjson: Vec<u8>) -> Result<BatchResults, ClientError> {
        self.fetch(&Call::post_events("/v1/events", ndjson)).await
    }

    /// Creates a key.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn create_key(&self, request: &KeyRequest<'_>) -> Result<CreatedKey, ClientError> {
        self.fetch(&Call::post_once("/admin/v1/keys", json(request)?)).await
    }

    /// All keys, without their secrets.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn list_keys(&self) -> Result<ListedKeys, ClientError> {
        self.fetch(&Call::get("/admin/v1/keys")).await
    }

    /// Makes a key stop working.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn revoke_key(&self, id: &str) -> Result<ListedKey, ClientError> {
        self.fetch(&Call::delete(format!("/admin/v1/keys/{id}"))).await
    }

    /// What a signal would be answered, recording nothing.
    ///
    /// # Errors
    /// As [`Client::send`]; also when the signal names another user than the key's.
    pub async fn dry_run(&self, signal_json: Vec<u8>) -> Result<Confidence, ClientError> {
        self.fetch(&Call::post_event("/v1/confidence?dry_run=true", signal_json)).await
    }
}

fn json<T: Serialize>(body: &T) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(body).map_err(|error| ClientError::CannotSend { reason: error.to_string() })
}
