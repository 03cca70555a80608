//! Two tenants on one pool: one has a quota and floods it, the other notices nothing.

use sidetone_host::pool::{Event, Reply, TenantStats};
use sidetone_host::{Key, Pool, PoolError, Quota};
use sidetone_session::Config;
use std::collections::BTreeMap;

fn main() -> Result<(), PoolError> {
    for (tenant, stats) in run()? {
        println!("{tenant}: {stats:?}");
    }
    Ok(())
}

fn run() -> Result<BTreeMap<String, TenantStats>, PoolError> {
    let small = Quota { sessions: Some(10), frames_per_second: Some(100), memory: Some(4 << 20), ..Quota::UNLIMITED };
    let pool = Pool::builder()
        .workers(2)
        .tenant("small", small)
        .tenant("large", Quota::UNLIMITED)
        .on_event(|event: &Event| println!("{event:?}"))
        .build(sidetone_artifact::COMPONENT)?;

    let flood = pool.open("small", &Key::new([1; 16]), Config::gateway(1)).wait()?;
    let call = pool.open("large", &Key::new([2; 16]), Config::gateway(2)).wait()?;
    let flooded: Vec<_> = (0..5000).map(|n| flood.send(vec![0; 1440], n * 60)).collect();
    for n in 0..10 {
        call.send(vec![0; 1440], n * 60).wait()?;
    }
    let over = flooded.into_iter().map(Reply::wait).filter(Result::is_err).count();
    println!("{over} of 5000 frames were over quota or gave way");
    Ok(pool.stats().tenants)
}

#[test]
fn the_flood_is_refused_and_the_call_goes_on() {
    // A busy machine may miss a deadline.
    let tenants = (0..3).find_map(|_| run().ok()).expect("runs");
    assert!(tenants["small"].refused > 1000 && tenants["large"].refused == 0, "{tenants:?}");
}
