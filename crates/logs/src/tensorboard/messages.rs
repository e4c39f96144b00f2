//! The messages of event files, with the fields that this program writes or reads; the rest of a
//! message is skipped.
//!
//! Names and numbers are those of TensorFlow's `event.proto`, `summary.proto`, `tensor.proto` and
//! `tensor_shape.proto`.

use prost::{Message, Oneof};

/// A moment of a log.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// What happened.
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub what: Option<What>,
}

impl Event {
    /// The event that a record holds, unless it is damaged.
    pub fn parse(record: &[u8]) -> Option<Self> {
        Self::decode(record).ok()
    }
}

/// What happens in an [`Event`].
#[derive(Clone, PartialEq, Oneof)]
pub enum What {
    /// The first event of a file.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Something was measured.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// A session began or ended.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// What was measured.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// Each under its tag.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// A value under its tag.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The tag.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// What the value is for.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<SummaryMetadata>,
    /// The value.
    #[prost(oneof = "Content", tags = "2, 8")]
    pub content: Option<Content>,
}

/// What is under a tag.
#[derive(Clone, PartialEq, Oneof)]
pub enum Content {
    /// A scalar, as TensorFlow 1, PyTorch and this program write it.
    #[prost(float, tag = "2")]
    Simple(f32),
    /// Anything, as TensorFlow 2 writes it.
    #[prost(message, tag = "8")]
    Tensor(Tensor),
}

/// What a value is for.
#[derive(Clone, PartialEq, Message)]
pub struct SummaryMetadata {
    /// Who shows it.
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
    /// Scalars (1), tensors (2) or sequences of blobs (3).
    #[prost(int32, tag = "4")]
    pub data_class: i32,
}

/// What a plugin of TensorBoard is told.
#[derive(Clone, PartialEq, Message)]
pub struct PluginData {
    /// The plugin.
    #[prost(string, tag = "1")]
    pub plugin_name: String,
    /// A message of its own.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// The start of a session: what stands at its step and later, from sessions before it, no longer
/// counts.
#[derive(Clone, PartialEq, Message)]
pub struct SessionLog {
    /// Of [`SessionLog::START`] and others.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

impl SessionLog {
    /// It starts.
    pub const START: i32 = 1;
}

/// An array.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// The type of the elements.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// The shape.
    #[prost(message, optional, tag = "2")]
    pub tensor_shape: Option<TensorShape>,
    /// All elements, little-endian.
    #[prost(bytes = "vec", tag = "4")]
    pub tensor_content: Vec<u8>,
    /// Elements of type `f32`.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
    /// Elements of type `f64`.
    #[prost(double, repeated, tag = "6")]
    pub double_val: Vec<f64>,
    /// Elements of 32 bits or fewer.
    #[prost(int32, repeated, tag = "7")]
    pub int_val: Vec<i32>,
    /// Elements that are texts.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub string_val: Vec<Vec<u8>>,
    /// Elements of type `i64`.
    #[prost(int64, repeated, tag = "10")]
    pub int64_val: Vec<i64>,
}

/// A shape.
#[derive(Clone, PartialEq, Message)]
pub struct TensorShape {
    /// The sizes.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dimension>,
}

/// A dimension of a shape.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    /// Its size.
    #[prost(int64, tag = "1")]
    pub size: i64,
}

/// `DT_FLOAT`.
pub const FLOAT: i32 = 1;
/// `DT_DOUBLE`.
pub const DOUBLE: i32 = 2;
/// `DT_INT32`.
pub const INT32: i32 = 3;
/// `DT_STRING`.
pub const STRING: i32 = 7;
/// `DT_INT64`.
pub const INT64: i32 = 9;

impl Value {
    /// The number under the tag, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self.content.as_ref()? {
            Content::Simple(value) => Some(f64::from(*value)),
            Content::Tensor(tensor) => tensor.number(),
        }
    }
}

impl Tensor {
    /// Its one element, if it has one and that is a number.
    pub fn number(&self) -> Option<f64> {
        let listed = [
            self.float_val.first().copied().map(f64::from),
            self.double_val.first().copied(),
            self.int_val.first().copied().map(f64::from),
            self.int64_val.first().map(|number| *number as f64),
        ];
        if let Some(number) = listed.into_iter().flatten().next() {
            return Some(number);
        }
        let bytes = self.tensor_content.as_slice();
        match self.dtype {
            FLOAT => Some(f64::from(f32::from_le_bytes(bytes.try_into().ok()?))),
            DOUBLE => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
            INT32 => Some(f64::from(i32::from_le_bytes(bytes.try_into().ok()?))),
            INT64 => Some(i64::from_le_bytes(bytes.try_into().ok()?) as f64),
            _ => None,
        }
    }
}
