//! What strace writes of a program: a line for each system call, or two where calls of other threads came between.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The calls that change files, make that lasting, or send something; and those that could do so in a way that the
/// replay does not know, so that it can say so. Source: syscalls(2). A `?` lets a processor lack the call.
const CALLS: &str = "trace=?open,openat,?openat2,?creat,lseek,write,pwrite64,writev,pwritev,?pwritev2,\
    ?truncate,ftruncate,fallocate,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,?unlink,unlinkat,\
    ?mkdir,mkdirat,?rmdir,fsync,fdatasync,?sync_file_range,?sync_file_range2,sync,syncfs,mmap,sendto,sendmsg,\
    ?sendmmsg,sendfile,splice,copy_file_range,?io_uring_setup";

/// A system call. A place is a moment in the trace: calls that overlap in time overlap in places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The place before which it had done nothing.
    pub(crate) entered: usize,
    /// The place from which on it had done everything; `None`: the program ended first.
    pub(crate) ended: Option<usize>,
    /// Its name.
    pub(crate) name: String,
    /// Its arguments as strace writes them, strings in `\x` escapes.
    pub(crate) arguments: String,
    /// What it returned, as strace writes it: `12</the/path>`, `-1 ENOENT (…)`; empty if it did not.
    pub(crate) returned: String,
}

/// The command that traces all threads of the program whose command line follows, and appends what it sees to
/// `output`. The program stays a child of whoever starts this.
pub(crate) fn tracer(output: &Path) -> Vec<OsString> {
    let options = ["strace", "--daemonize", "--follow-forks", "--seccomp-bpf", "--decode-fds=path"];
    let format = ["--strings-in-hex=all", "--string-limit=16777216", "--columns=1", "--signal=none"];
    let mut command: Vec<OsString> = options.iter().chain(&format).map(OsString::from).collect();
    command.extend([format!("--trace={}", CALLS.trim_start_matches("trace=")).into()]);
    command.extend(["--output-append-mode".into(), "--output".into(), output.into()]);
    command
}

/// Whether the program of that process id is seen to end at the end of what strace wrote.
pub(crate) fn is_whole(trace: &[u8], process: u32) -> bool {
    let Some(trace) = trace.strip_suffix(b"\n") else { return false };
    let line = trace.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let (id, what) = id_and_rest(line).unwrap_or_default();
    id == process.to_string() && what.starts_with("+++ ")
}

/// The calls in the order in which they began, and the first place after them all.
pub(crate) fn parse(trace: &str) -> Result<(Vec<Call>, usize)> {
    let mut calls = Vec::new();
    let mut unfinished = HashMap::<&str, usize>::new();
    let mut place = 0;
    for line in trace.lines() {
        let (thread, what) = id_and_rest(line).with_context(|| format!("a line of strace's: {line:.200}"))?;
        if what.starts_with("+++ ") {
            unfinished.remove(thread);
        } else if let Some(resumed) = what.strip_prefix("<... ") {
            let call = unfinished.remove(thread).context("a call is resumed that was not begun")?;
            let (_, rest) = resumed.split_once(" resumed>").context("a resumed call")?;
            finish(&mut calls[call], rest, place)?;
        } else {
            let (name, rest) = what.split_once('(').with_context(|| format!("a call: {what:.200}"))?;
            let (name, arguments, returned) = (name.to_owned(), String::new(), String::new());
            let mut call = Call { entered: place, ended: None, name, arguments, returned };
            if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
                begun.clone_into(&mut call.arguments);
                unfinished.insert(thread, calls.len());
            } else {
                finish(&mut call, rest, place + 1)?;
            }
            calls.push(call);
        }
        place += 2;
    }
    Ok((calls, place))
}

fn id_and_rest(line: &str) -> Option<(&str, &str)> {
    let (id, rest) = line.split_once(' ')?;
    id.bytes().all(|byte| byte.is_ascii_digit()).then_some((id, rest.trim_start()))
}

/// Takes in the rest of a call: what remains of its arguments, and what it returned. `?` means that it did not return.
fn finish(call: &mut Call, rest: &str, place: usize) -> Result<()> {
    let Some(end) = rest.rfind(") = ") else { bail!("a call without an end: {rest:.200}") };
    call.arguments.push_str(&rest[..end]);
    let returned = &rest[end + 4..];
    if !returned.starts_with('?') {
        call.ended = Some(place);
        returned.clone_into(&mut call.returned);
    }
    Ok(())
}

impl Call {
    /// One of its arguments, of a call without structures; strings hold no comma but an escaped one.
    pub(crate) fn argument(&self, number: usize) -> &str {
        self.arguments.split(", ").nth(number).unwrap_or_default()
    }

    /// The number that it returned; `None` if it did not return or failed.
    pub(crate) fn result(&self) -> Option<usize> {
        let number = self.returned.split(|c: char| !c.is_ascii_digit()).next()?;
        number.parse().ok()
    }

    /// Whether it returned and had done nothing.
    pub(crate) fn failed(&self) -> bool {
        self.ended.is_some() && self.result().is_none()
    }
}

/// A descriptor's number and path, of `12</the/path>`.
pub(crate) fn described(descriptor: &str) -> Option<(usize, String)> {
    let (number, rest) = descriptor.split_once('<')?;
    let path = bytes(rest.rsplit_once('>')?.0);
    Some((number.parse().ok()?, String::from_utf8(path).ok()?))
}

/// The bytes that an escaped text stands for; what is not escaped stands for itself.
pub(crate) fn bytes(escaped: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len() / 4);
    let mut rest = escaped.as_bytes();
    loop {
        match rest {
            [b'\\', b'x', high, low, after @ ..] => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            [byte, after @ ..] => {
                bytes.push(*byte);
                rest = after;
            }
            [] => return bytes,
        }
    }
}

fn digit(hexadecimal: u8) -> u8 {
    match hexadecimal {
        b'0'..=b'9' => hexadecimal - b'0',
        b'a'..=b'f' => hexadecimal - b'a' + 10,
        _ => 0,
    }
}

/// The strings in quotation marks among the arguments, joined: all that a call sends.
pub(crate) fn sent(arguments: &str) -> Vec<u8> {
    arguments.split('"').skip(1).step_by(2).flat_map(bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_others_interrupt_is_one_call_over_all_that_time() {
        let trace = "7 fsync(3</d/a>) = 0\n\
                     7 pwrite64(4</d/b>, \"\\x41\\x42\", 2, 512 <unfinished ...>\n\
                     81 sendto(9<socket:[5]>, \"\\x2c\", 1, 0, NULL, 0) = 1\n\
                     7 <... pwrite64 resumed>) = 2\n\
                     81 fsync(4</d/b> <unfinished ...>\n\
                     81 +++ killed by SIGKILL +++\n";
        let (calls, end) = parse(trace).unwrap();
        let places: Vec<_> = calls.iter().map(|call| (call.entered, call.ended)).collect();
        assert_eq!(places, [(0, Some(1)), (2, Some(6)), (4, Some(5)), (8, None)]);
        assert_eq!(end, 12);
        assert_eq!((calls[1].argument(3), calls[1].result()), ("512", Some(2)));
        assert_eq!(calls[1].argument(0), "4</d/b>");
        assert_eq!(sent(&calls[1].arguments), b"AB");
        assert_eq!(calls[3].result(), None);
    }

    #[test]
    fn what_a_call_returned_is_read_after_its_arguments() {
        let (calls, _) =
            parse("7 openat(AT_FDCWD</d>, \"\\x61\", O_RDWR|O_CREAT, 0600) = 12</d/\\x61>\n").unwrap();
        assert_eq!(described(&calls[0].returned), Some((12, "/d/a".to_owned())));
        assert_eq!(calls[0].argument(2), "O_RDWR|O_CREAT");
        let (calls, _) = parse("7 fsync(3</d/a>) = -1 EIO (Input/output error)\n").unwrap();
        assert_eq!((calls[0].ended, calls[0].result()), (Some(1), None));
    }

    #[test]
    fn the_parts_of_a_vector_are_joined() {
        let vector = r#"[{iov_base="\x41", iov_len=1}, {iov_base="\x42", iov_len=1}]"#;
        let (calls, _) = parse(&format!("7 writev(9<socket:[5]>, {vector}, 2) = 2\n")).unwrap();
        assert_eq!(sent(&calls[0].arguments), b"AB");
    }

    #[test]
    fn a_trace_is_whole_when_its_last_line_tells_of_the_programs_end() {
        assert!(is_whole(b"8 +++ exited with 0 +++\n7 +++ exited with 0 +++\n", 7));
        assert!(!is_whole(b"7 +++ exited with 0 +++\n8 fsync(3", 7));
        assert!(!is_whole(b"8 +++ exited with 0 +++\n", 7));
    }
}
