//! Runs tlsflags.rs on the vectors.
//!
//!     run FOLDER     on the files that FOLDER/index.tsv lists
//!     run --answer   speaks the protocol of "tlsflags vectors run", in TSV

mod tlsflags;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

/// Returns the columns from result to flags, without the alternatives.
fn answer(entry: &str, input: &[u8]) -> String {
    let result = match entry {
        "handshake" => tlsflags::parse_client_hello(input),
        _ => tlsflags::parse_flags(input).map(|flags| (flags, 0)),
    };
    match result {
        Ok((flags, extension)) => {
            let flags: Vec<String> = flags.iter().map(u16::to_string).collect();
            let list = if flags.is_empty() { "-".to_string() } else { flags.join(",") };
            format!("valid\t\t\t\t{extension}\t{list}")
        }
        Err(e) => format!("invalid\t{}\t{}\t{}\t\t", e.code, e.offset, e.alert()),
    }
}

fn known(kind: &str) -> bool {
    kind == "tls_flags" || kind == "client_hello"
}

/// Returns what is wrong with the answer to a row of the index, if anything.
fn check(row: &HashMap<&str, &str>, input: &[u8]) -> Option<String> {
    let lengths = match row["prefixes"].split_once('-') {
        Some((from, to)) => from.parse().unwrap()..=to.parse().unwrap(),
        None => input.len()..=input.len(),
    };
    for n in lengths {
        let offset = if row["prefixes"].is_empty() { row["offset"].to_string() } else { n.to_string() };
        let want = [row["result"], row["code"], &offset, row["alert"], row["flags_extension"], row["flags"]].join("\t");
        let got = answer(row["entry"], &input[..n]);
        if got != want {
            return Some(format!("{}: got {got:?}, want {want:?} ({})", row["id"], row["clause"]));
        }
    }
    None
}

fn run(folder: &Path) -> io::Result<bool> {
    let index = fs::read_to_string(folder.join("index.tsv"))?;
    let mut lines = index.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let (mut count, mut passed) = (0, 0);
    for line in lines {
        let row: HashMap<&str, &str> = names.iter().copied().zip(line.split('\t')).collect();
        if !known(row["kind"]) {
            continue;
        }
        count += 1;
        match check(&row, &fs::read(folder.join(format!("{}.bin", row["id"])))?) {
            Some(failure) => println!("{failure}"),
            None => passed += 1,
        }
    }
    println!("rust: {passed} of {count} vectors pass");
    Ok(passed == count)
}

/// Answers tests with the columns id, kind, entry and, in hexadecimal, input.
fn serve() -> io::Result<bool> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let columns: Vec<&str> = line.split('\t').collect();
        let reply = if known(columns[1]) { answer(columns[2], &bytes(columns[3])) } else { "skipped".to_string() };
        let mut out = io::stdout().lock();
        writeln!(out, "{}\t{reply}", columns[0])?;
        out.flush()?;
    }
    Ok(true)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).expect("hexadecimal") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn main() -> ExitCode {
    let argument = env::args().nth(1);
    let result = match argument.as_deref() {
        Some("--answer") => serve(),
        Some(folder) => run(Path::new(folder)),
        None => Err(io::Error::new(io::ErrorKind::Other, "usage: run FOLDER|--answer")),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(2)
        }
    }
}
