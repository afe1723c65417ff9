//! Reads the files of the vectors through the types that quicktype makes of the schemas,
//! and compares what these write with what was read.
#![allow(dead_code)]

include!("kinds.rs");

use serde_json::Value;

/// Removes members that are null: an Option does not say whether it was there.
fn without_null(v: &mut Value) {
    match v {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_null);
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn main() {
    let folder = std::env::args().nth(1).expect("the folder of the vectors");
    macro_rules! check {
        ($kind:ident) => {
            let name = format!("{}/{}.json", folder, stringify!($kind));
            let text = std::fs::read_to_string(&name).expect(&name);
            let mut want: Value = serde_json::from_str(&text).expect(&name);
            let typed: $kind::Vectors = serde_json::from_str(&text).expect(&name);
            let mut got = serde_json::to_value(typed).expect(&name);
            without_null(&mut want);
            without_null(&mut got);
            assert!(got == want, "{}: what is written differs from what was read", name);
        };
    }
    include!("checks.rs");
}
