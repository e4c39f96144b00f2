//! Writes TensorBoard event files, as small as they come.

/// How a scalar is stored.
#[derive(Clone, Copy)]
pub(crate) enum Scalar {
    /// `simple_value`, as PyTorch writes it.
    Simple,
    /// A tensor of one element, as TF 2 writes it.
    Tensor,
}

/// A record of TFRecord.
pub(crate) fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut bytes = length.to_vec();
    bytes.extend(masked(&length).to_le_bytes());
    bytes.extend(data);
    bytes.extend(masked(data).to_le_bytes());
    bytes
}

/// An event with a scalar under `tag`.
pub(crate) fn event(step: u64, tag: &str, value: f32, scalar: Scalar) -> Vec<u8> {
    let mut content = field(1, tag.as_bytes());
    match scalar {
        Scalar::Simple => {
            content.push(2 << 3 | 5);
            content.extend(value.to_le_bytes());
        }
        Scalar::Tensor => {
            let tensor = [vec![1 << 3, 1], field(4, &value.to_le_bytes())].concat();
            content.extend(field(8, &tensor));
        }
    }
    let mut message = vec![1 << 3 | 1];
    message.extend(1.6e9_f64.to_le_bytes());
    message.push(2 << 3);
    message.extend(varint(step));
    message.extend(field(5, &field(1, &content)));
    record(&message)
}

fn field(number: u8, data: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(data.len() as u64), data.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while number > 127 {
        bytes.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// CRC-32C, masked as TFRecord does.
fn masked(data: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (0_u32.wrapping_sub(crc & 1)));
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}
