//! A shop's logo: a small picture in a form that every mail program shows.

use std::fmt;

use crate::Invalid;

/// The largest file of a logo, in bytes: each mail carries it.
pub const MAX_LOGO: usize = 32 * 1024;
/// The most pixels of its width, and of its height.
pub const MAX_LOGO_PIXELS: u32 = 1_000;
/// The room that it has above a mail and on a page, in the pixels of CSS.
const SHOWN: (u32, u32) = (240, 64);

/// A picture that was checked: its form and its size, not that each of its pixels can be decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    bytes: Vec<u8>,
    content_type: &'static str,
    width: u32,
    height: u32,
}

impl Logo {
    /// Takes the content of a file.
    ///
    /// # Errors
    /// `invalid_logo`, with the limits: it is neither PNG nor JPEG, has more than [`MAX_LOGO`] bytes, or more than
    /// [`MAX_LOGO_PIXELS`] in a direction.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Invalid> {
        let invalid = |message: String| Invalid::new("invalid_logo", "shop.logo", message);
        if bytes.len() > MAX_LOGO {
            return Err(invalid(format!(
                "has {} bytes: each mail carries it, at most {MAX_LOGO}",
                bytes.len()
            )));
        }
        let png = png_size(&bytes).map(|size| ("image/png", size));
        let found = png.or_else(|| jpeg_size(&bytes).map(|size| ("image/jpeg", size)));
        let Some((content_type, (width, height))) = found else {
            let message = "is neither PNG nor JPEG, which is what every mail program shows";
            return Err(invalid(message.to_owned()));
        };
        let limits = 1..=MAX_LOGO_PIXELS;
        if !limits.contains(&width) || !limits.contains(&height) {
            let message =
                format!("has {width} × {height} pixels, at most {MAX_LOGO_PIXELS} × {MAX_LOGO_PIXELS}");
            return Err(invalid(message));
        }
        Ok(Self { bytes, content_type, width, height })
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it is, as a header says it.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// How wide and how high it is shown, in the pixels of CSS: within 240 × 64, and no larger than it is.
    #[must_use]
    pub fn shown(&self) -> (u32, u32) {
        let (most_wide, most_high) = SHOWN;
        let (width, height) = (self.width.min(most_wide), self.height.min(most_high));
        // The direction that has less room decides; a line is not nothing.
        if width * self.height <= height * self.width {
            (width, (width * self.height / self.width).max(1))
        } else {
            ((height * self.width / self.height).max(1), height)
        }
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} × {}", self.content_type, self.width, self.height)
    }
}

/// Source: PNG Specification (Third Edition), 5.2 (signature) and 11.2.1 (IHDR, the first chunk).
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(4..)?.strip_prefix(b"IHDR")?;
    let (width, rest) = header.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// Source: ITU-T T.81, B.1.1.4 (marker segments) and B.2.2 (the frame header, which a marker from C0 to CF begins but for C4,
/// C8 and CC).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let (marker, segment) = match rest {
            // Fill bytes may stand before a marker.
            [0xff, 0xff, ..] => {
                rest = &rest[1..];
                continue;
            }
            [0xff, marker, segment @ ..] => (*marker, segment),
            _ => return None,
        };
        let length = usize::from(u16::from_be_bytes(*segment.first_chunk()?));
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let [_, _, _, height_high, height_low, width_high, width_low] = *segment.first_chunk()?;
            let size = |high, low| u32::from(u16::from_be_bytes([high, low]));
            return Some((size(width_high, width_low), size(height_high, height_low)));
        }
        rest = segment.get(length.max(2)..)?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &size, b"\x08\x06\0\0\0"].concat()
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
        let before = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc4\0\x03c\xff\xc2\0\x11\x08".as_slice();
        [before, &size, b"\x03"].concat()
    }

    #[test]
    fn its_form_and_its_size_are_read_from_its_beginning() {
        for (bytes, content_type, size) in [
            (png(200, 100), "image/png", (200, 100)),
            (jpeg(640, 480), "image/jpeg", (640, 480)),
            (png(1_000, 1), "image/png", (1_000, 1)),
        ] {
            let logo = Logo::parse(bytes.clone()).unwrap();
            assert_eq!((logo.content_type(), (logo.width, logo.height)), (content_type, size));
            assert_eq!(logo.bytes(), bytes);
        }
    }

    #[test]
    fn it_is_shown_in_its_own_form_within_its_room_and_never_larger_than_it_is() {
        for (size, shown) in [
            ((240, 64), (240, 64)),
            ((480, 128), (240, 64)),
            ((100, 20), (100, 20)),
            ((500, 500), (64, 64)),
            ((1_000, 10), (240, 2)),
            ((1_000, 1), (240, 1)),
            ((1, 1_000), (1, 64)),
        ] {
            assert_eq!(Logo::parse(png(size.0, size.1)).unwrap().shown(), shown, "{size:?}");
        }
    }

    #[test]
    fn what_mails_cannot_carry_or_show_is_refused_with_the_limit() {
        let mut large = png(10, 10);
        large.resize(MAX_LOGO + 1, 0);
        for (bytes, why) in [
            (large, "has 32769 bytes: each mail carries it, at most 32768"),
            (png(1_001, 10), "has 1001 × 10 pixels, at most 1000 × 1000"),
            (png(0, 10), "has 0 × 10 pixels"),
            (jpeg(10, u16::MAX), "has 10 × 65535 pixels"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "is neither PNG nor JPEG"),
            (b"GIF89a".to_vec(), "is neither PNG nor JPEG"),
            (png(10, 10)[..20].to_vec(), "is neither PNG nor JPEG"),
            (jpeg(10, 10)[..20].to_vec(), "is neither PNG nor JPEG"),
            (Vec::new(), "is neither PNG nor JPEG"),
        ] {
            let wrong = Logo::parse(bytes).unwrap_err();
            assert_eq!((wrong.code, wrong.field.as_str()), ("invalid_logo", "shop.logo"));
            assert!(wrong.message.starts_with(why), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_file_breaks_the_reading(start in prop::sample::select(vec![jpeg(9, 9), png(9, 9), vec![]]), cut in 0..40_usize, rest in prop::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [&start[..cut.min(start.len())], &rest].concat();
            if let Ok(logo) = Logo::parse(bytes) {
                let (width, height) = logo.shown();
                prop_assert!((1..=240).contains(&width) && (1..=64).contains(&height));
            }
        }
    }
}
