//! The pages that are built into the program, and those in folders that stand in for them.

use crate::common::http::{Answer, ask, get, start};
use sidetone_gateway::config::Listen;
use sidetone_pages::{DASHBOARD, DEVICE};

/// What a header says.
fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn every_file_of_the_pages_is_served_whole_compressed_and_not_twice() {
    let (_gateway, http) = start(|_| {}).await;
    for (at, page) in [("/", &DASHBOARD), ("/device/", &DEVICE)] {
        for file in page.files() {
            let path = format!("{at}{}", file.path);
            let path = path.strip_suffix("index.html").unwrap_or(&path);
            let whole = get(http, path).await;
            assert_eq!((whole.status, &*whole.bytes), (200, file.bytes), "{path}");
            assert_eq!(header(&whole, "content-encoding"), None, "{path}");
            let tag = header(&whole, "etag").expect("a tag").to_owned();
            let known = ask(http, "GET", path, &format!("If-None-Match: {tag}\r\n")).await;
            assert_eq!((known.status, known.bytes.len(), header(&known, "etag")), (304, 0, Some(&*tag)), "{path}");
            let keep = if file.is_immutable() { "private, max-age=31536000, immutable" } else { "private, no-cache" };
            assert_eq!(header(&whole, "cache-control"), Some(keep), "{path}");
            assert_eq!(header(&known, "cache-control"), Some(keep), "{path}");

            let Some(gzip) = file.gzip else { continue };
            let packed = ask(http, "GET", path, "Accept-Encoding: br, gzip\r\n").await;
            assert_eq!((packed.status, &*packed.bytes, header(&packed, "content-encoding")), (200, gzip, Some("gzip")));
            assert_ne!(header(&packed, "etag"), Some(&*tag), "other bytes have another tag");
            assert_eq!(header(&packed, "vary"), Some("accept-encoding"));
        }
    }
}

#[tokio::test]
async fn pages_may_do_no_more_than_they_must() {
    let (_gateway, http) = start(|_| {}).await;
    let dashboard = get(http, "/").await;
    assert_eq!(header(&dashboard, "content-type"), Some("text/html; charset=utf-8"));
    let policy = header(&dashboard, "content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let device = get(http, "/device/").await;
    assert!(header(&device, "content-security-policy").is_some_and(|policy| policy.contains("'wasm-unsafe-eval'")));
    assert_eq!(header(&get(http, "/device").await, "location"), Some("/device/"));
    for outside in ["/assets/none.js", "/assets/../Cargo.toml", "/index.html", "/device/none", "/device/%2e%2e/x"] {
        assert_eq!(get(http, outside).await.status, 404, "{outside}");
    }
}

#[tokio::test]
async fn a_folder_stands_in_for_a_page_and_shows_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("assets")).unwrap();
    std::fs::write(folder.path().join("index.html"), "<p>page").unwrap();
    std::fs::write(folder.path().join("assets/a.wasm"), "wasm").unwrap();
    let (gateway, http) = start(|config| {
        config.web.listen = Listen::loopback(0);
        config.http.device_page = Some(folder.path().to_owned());
        config.http.dashboard_page = Some(folder.path().to_owned());
    })
    .await;
    for at in ["/", "/device/"] {
        let index = get(http, at).await;
        assert_eq!((index.status, index.body.as_str()), (200, "<p>page"));
        assert_eq!(header(&index, "content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header(&index, "cache-control"), Some("no-store"), "it changes under the same names");
        let wasm = get(http, &format!("{at}assets/a.wasm")).await;
        assert_eq!(header(&wasm, "content-type"), Some("application/wasm"));
        for outside in
            ["../Cargo.toml", "%2e%2e/Cargo.toml", "assets/%2e%2e/%2e%2e/x", "assets//etc/hosts", "/etc/hosts", "none"]
        {
            assert_eq!(get(http, &format!("{at}{outside}")).await.status, 404, "{at}{outside}");
        }
    }
    let told = get(http, "/device/gateway.json").await.json();
    assert_eq!(told["web"], gateway.addresses().web.unwrap().port());
    assert_eq!(told["coreSha256"], sidetone_artifact::CORE_SHA256);
}
