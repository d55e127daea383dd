//! The body of a request to take a trade back.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    Others,
    fields::{integer, nested, reason},
    object,
};
use crate::VoidBody;

impl ToSchema for VoidBody<'_> {
    fn name() -> Cow<'static, str> {
        "Void".into()
    }
}

impl PartialSchema for VoidBody<'_> {
    fn schema() -> RefOr<Schema> {
        let position = nested(
            "position",
            "The position that was answered when the trade was reported. Needed for old trades only.",
            [
                integer("epoch", 0, 255, "Raised by one each time a journal is restored."),
                integer("partition", 0, 65_535, "The partition of the user."),
                integer("offset", 0, i64::MAX, "The offset within the partition."),
            ],
        );
        object("Why a trade is taken back.", Others::Refused, [reason(), position])
    }
}
