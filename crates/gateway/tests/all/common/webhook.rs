//! A receiver of alerts on a real socket, that answers what it is told to.

use super::PATIENCE;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// What was sent to it.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// In small letters.
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// The receiver.
pub(crate) struct Webhook {
    pub(crate) address: SocketAddr,
    pub(crate) received: mpsc::UnboundedReceiver<Delivery>,
    /// How the next requests are answered; 200 once there are no more. 0: not at all.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Webhook {
    pub(crate) async fn start(answers: &[u16]) -> Self {
        Self::start_with(answers, None).await
    }

    /// Over TLS, with a certificate and its key.
    pub(crate) async fn start_tls(certificate: &Path, key: &Path) -> Self {
        let identity = sidetone_mqtt::tls::Identity { certificate: certificate.into(), key: key.into() };
        Self::start_with(&[], Some(sidetone_mqtt::tls::server(&identity, None).unwrap())).await
    }

    async fn start_with(answers: &[u16], tls: Option<Arc<sidetone_mqtt::tls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (deliver, received) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.iter().rev().copied().collect::<Vec<_>>()));
        let to_give = answers.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (deliver, to_give, tls) = (deliver.clone(), to_give.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &deliver, &to_give).await,
                        Some(config) => {
                            if let Ok(stream) = tokio_rustls::TlsAcceptor::from(config).accept(stream).await {
                                serve(stream, &deliver, &to_give).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, received, answers }
    }

    pub(crate) fn answer_next(&self, status: u16) {
        self.answers.lock().unwrap().push(status);
    }

    pub(crate) async fn next(&mut self) -> Delivery {
        timeout(PATIENCE, self.received.recv()).await.expect("a delivery").unwrap()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    deliver: &mpsc::UnboundedSender<Delivery>,
    answers: &Mutex<Vec<u16>>,
) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let (head, body) = loop {
        let Ok(len) = stream.read(&mut buffer).await else { return };
        bytes.extend_from_slice(&buffer[..len]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                break (head, body.to_owned());
            }
        }
        if len == 0 {
            return;
        }
    };
    let status = answers.lock().unwrap().pop().unwrap_or(200);
    deliver.send(Delivery { head, body: serde_json::from_str(&body).unwrap() }).ok();
    if status == 0 {
        // As one that hangs: until the other side gives up.
        drop(stream.read(&mut buffer).await);
        return;
    }
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    drop(stream.write_all(answer.as_bytes()).await);
}
