// A server of rustls. Each line of standard input is a connection: "tls", a tab, and what
// the client sends, in hexadecimal. The answer is "wrote" and the first bytes that the
// server writes, "waits" or "closes".
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{any_supported_type, CertifiedKey};
use rustls::{Certificate, PrivateKey, ServerConfig, ServerConnection};
use std::io::{BufRead, Write};
use std::sync::Arc;

struct Certificates(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello) -> Option<Arc<CertifiedKey>> {
        let fits = |k: &&Arc<CertifiedKey>| k.key.choose_scheme(hello.signature_schemes()).is_some();
        self.0.iter().find(fits).cloned()
    }
}

fn certified(name: &str) -> Arc<CertifiedKey> {
    let read = |end| std::fs::read(format!("{name}.{end}")).expect("read the certificates");
    let key = any_supported_type(&PrivateKey(read("key"))).expect("a key");
    Arc::new(CertifiedKey::new(vec![Certificate(read("crt"))], key))
}

fn answer(config: &Arc<ServerConfig>, mut stream: &[u8]) -> String {
    let mut server = ServerConnection::new(config.clone()).expect("a server");
    let mut failed = false;
    while !failed && !stream.is_empty() {
        failed = server.read_tls(&mut stream).is_err() || server.process_new_packets().is_err();
    }
    let mut written = vec![];
    while server.wants_write() && server.write_tls(&mut written).is_ok() {}
    written.truncate(16);
    if !written.is_empty() {
        return written.iter().fold("wrote ".to_string(), |text, b| format!("{text}{b:02x}"));
    }
    if failed { "closes" } else { "waits" }.to_string()
}

fn main() {
    let resolver = Arc::new(Certificates(vec![certified("ecdsa"), certified("rsa")]));
    let config = ServerConfig::builder().with_safe_defaults().with_no_client_auth().with_cert_resolver(resolver);
    let config = Arc::new(config);
    let mut out = std::io::stdout();
    let (_, rest) = include_str!("../Cargo.lock").split_once("name = \"rustls\"\nversion = \"").expect("rustls");
    writeln!(out, "rustls@{}", rest.split_once('"').expect("a quote").0).unwrap();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (_, digits) = line.split_once('\t').expect("a tab");
        let digits: Vec<u8> = digits.bytes().filter(|b| *b != b',').map(|b| (b as char).to_digit(16).unwrap() as u8).collect();
        let stream: Vec<u8> = digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect();
        writeln!(out, "{}", answer(&config, &stream)).unwrap();
        out.flush().unwrap();
    }
}
