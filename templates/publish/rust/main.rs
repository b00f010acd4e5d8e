//! Publishes one event from a Rust back end with ureq. Take `publish` into your own code; in async code use the same
//! request with the client that is there (reqwest, hyper).
//!
//! Try it:  PUBLISH_TOKEN=$(cat var/token) cargo run --manifest-path publish/Cargo.toml -- TYPE '{"hello": "world"}' KEY

use std::time::{Duration, Instant};
use std::{env, process, thread};

const TRY: Duration = Duration::from_secs(10); // for one request
const GIVE_UP: Duration = Duration::from_secs(60); // for all; then a queue of yours may try again, with this key

/// The answer with the event's id, once it is stored. The same key always means the same event: then a repetition doubles
/// nothing. Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of its own.
/// `kind` is one of the types in settings.json, `json` what your JSON library makes of the data.
fn publish(kind: &str, json: &str, key: &str) -> Result<String, String> {
    let url = env::var("PUBLISH_URL").unwrap_or("http://127.0.0.1:8080/publish".into());
    let token = env::var("PUBLISH_TOKEN").map_err(|_| "PUBLISH_TOKEN is not set")?;
    let body = format!(r#"{{"type":"{kind}","data":{json}}}"#);
    let config = ureq::Agent::config_builder().timeout_global(Some(TRY)).http_status_as_error(false);
    let agent = ureq::Agent::new_with_config(config.build());
    let end = Instant::now() + GIVE_UP;
    let mut pause = Duration::from_millis(500);
    loop {
        let sent = agent
            .post(&url)
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .send(&body)
            .and_then(|mut response| Ok((response.status().as_u16(), response.body_mut().read_to_string()?)));
        let why = match sent {
            Ok((201 | 200, text)) => return Ok(text), // 201: stored now; 200: it was stored before, by the same key
            Ok((status @ (429 | 502 | 503 | 504), text)) => format!("{status}: {text}"),
            Ok((status, text)) => return Err(format!("{status}: {text}")), // stays wrong however often it is repeated
            Err(error) => error.to_string(), // no connection or answer: perhaps it was stored, so repeat with this key
        };
        if Instant::now() + pause > end {
            return Err(why);
        }
        thread::sleep(pause);
        pause = Duration::from_secs(5).min(pause * 2);
    }
}

fn main() {
    let words: Vec<String> = env::args().collect();
    match publish(&words[1], &words[2], &words[3]) {
        Ok(answer) => println!("{answer}"),
        Err(why) => {
            eprintln!("{why}");
            process::exit(1);
        }
    }
}
