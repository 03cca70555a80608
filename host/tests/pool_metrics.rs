//! What the pool reports through the `metrics` facade. Alone in its process, because a recorder is the process's.

#[path = "all/support/mod.rs"]
mod support;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use sidetone_host::metrics as table;
use sidetone_host::pool::LadderConfig;
use sidetone_host::{PoolError, Quota};
use sidetone_session::{Config, Timestamps};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

/// Keeps every value by name and labels: `name{label=value,…}`.
#[derive(Clone, Default)]
struct Kept {
    values: Arc<Mutex<BTreeMap<String, Arc<Value>>>>,
    described: Arc<Mutex<BTreeMap<String, String>>>,
}

#[derive(Default)]
struct Value(Mutex<f64>, AtomicU64);

impl CounterFn for Value {
    fn increment(&self, value: u64) {
        *self.0.lock().unwrap() += value as f64;
    }

    fn absolute(&self, value: u64) {
        *self.0.lock().unwrap() = value as f64;
    }
}

impl GaugeFn for Value {
    fn increment(&self, value: f64) {
        *self.0.lock().unwrap() += value;
    }

    fn decrement(&self, value: f64) {
        *self.0.lock().unwrap() -= value;
    }

    fn set(&self, value: f64) {
        *self.0.lock().unwrap() = value;
    }
}

impl HistogramFn for Value {
    fn record(&self, _: f64) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

impl Kept {
    fn value(&self, key: &Key) -> Arc<Value> {
        let mut labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        self.values.lock().unwrap().entry(name).or_default().clone()
    }

    fn describe(&self, key: &KeyName, description: &SharedString) {
        self.described.lock().unwrap().insert(key.as_str().to_owned(), description.to_string());
    }

    fn get(&self, name: &str) -> f64 {
        let values = self.values.lock().unwrap();
        let value = values.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", values.keys()));
        *value.0.lock().unwrap()
    }

    fn recorded(&self, name: &str) -> u64 {
        self.values.lock().unwrap()[name].1.load(Ordering::Relaxed)
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, &description);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, &description);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&key, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.value(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.value(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.value(key))
    }
}

#[test]
fn everything_in_the_table_is_reported_and_nothing_else() -> Result<(), PoolError> {
    let kept = Kept::default();
    metrics::set_global_recorder(kept.clone()).expect("the first recorder");
    // Every frame takes 20 ms by this clock, which the ladder and the time in the queue are measured by.
    let time = Arc::new(AtomicU64::new(0));
    let read = time.clone();
    let clock = sidetone_host::pool::Clock::new(move || Duration::from_millis(read.fetch_add(20, Ordering::Relaxed)));
    let frames = Quota { frames_per_second: Some(1), ..Quota::UNLIMITED };
    let ladder = LadderConfig { dwell: Duration::from_secs(3600), ..LadderConfig::default() };
    let builder = builder(16, 1).clock(clock).ladder(ladder).tenant("b", frames);
    let pool = build_alone(builder.max_wait(Duration::from_secs(3600)));

    let (well, sick) = (open(&pool, 1), open(&pool, fault(TRAP, 2)));
    assert_eq!((kept.get("sidetone_slots{}"), kept.get("sidetone_slots_used{}")), (16.0, 2.0));
    assert_eq!((kept.get("sidetone_sessions{tenant=a}"), kept.get("sidetone_worker_sessions{worker=0}")), (2.0, 2.0));
    assert_eq!(kept.get("sidetone_instance_memory_bytes{tenant=a}"), pool.stats().tenants["a"].memory as f64);

    // The ladder: 20 ms and more a frame.
    assert_eq!(kept.get("sidetone_quality_level{worker=0}"), 2.0);
    for n in 0..40 {
        well.send(speech(n), n * 60).wait()?;
    }
    assert_eq!(kept.get("sidetone_ladder_changes_total{from=full,to=medium,worker=0}"), 1.0);
    assert_eq!(kept.get("sidetone_quality_changes_total{from=full,tenant=a,to=medium}"), 1.0);
    assert!(kept.get("sidetone_quality_level{worker=0}") < 2.0);
    assert!(pool.should_downgrade(), "20 ms and more on average");

    // Errors, restarts, losses.
    assert!(send(&sick, 0).is_ok() && send(&sick, 1).is_err());
    assert!(well.receive(vec![1; 5]).wait().is_err());
    assert_eq!(kept.get("sidetone_restarts_total{cause=trap,tenant=a}"), 1.0);
    assert_eq!(kept.get("sidetone_lost_frames_total{tenant=a}"), 1.0);
    assert_eq!(kept.get("sidetone_errors_total{kind=truncated,tenant=a}"), 1.0);

    // Keystream overlaps of a device whose timestamps are 0, live; and what was made up for losses.
    let mut config = Config::device(1);
    config.outgoing.timestamps = Timestamps::Zero;
    let device = pool.open("a", &key(), config).wait()?;
    let mut heard = 0;
    for n in 0..100 {
        for datagram in device.send(vec![(n * 77) as i16; 960], 0).wait()? {
            if n % 10 != 5 {
                heard += u32::from(well.receive(datagram).wait().is_ok());
            }
        }
    }
    assert_eq!(heard, 90);
    let overlaps = kept.get("sidetone_keystream_overlaps_total{tenant=a}");
    assert!(overlaps > 0.0, "{overlaps} of an open session");
    let sidetone_host::pool::SessionStats { guest, counts: stats, .. } = well.stats().wait()?;
    assert_eq!(stats.keystream_overlaps, guest.keystream_overlap);
    assert_eq!(kept.get("sidetone_keystream_overlaps_total{tenant=a}"), stats.keystream_overlaps as f64);
    assert_eq!((stats.concealed, stats.errors, stats.frames), (10, 1, 130));
    assert_eq!(kept.get("sidetone_concealed_total{tenant=a}"), 10.0);
    assert!(stats.avg_ms >= 20.0 && stats.max_ms >= stats.avg_ms, "{} {}", stats.avg_ms, stats.max_ms);

    // Quotas and queues.
    let limited = open_for(&pool, "b", 1);
    let refused = (0..1000).map(|n| send(&limited, n)).filter(Result::is_err).count();
    assert_eq!(kept.get("sidetone_refused_total{quota=frames,tenant=b}"), refused as f64);
    let slow = open(&pool, fault(SLOW, 40));
    let queued: Vec<_> = (0..100).map(|n| slow.send(speech(n), n * 60)).collect();
    let shed = queued.into_iter().map(sidetone_host::pool::Reply::wait).filter(Result::is_err).count();
    assert_eq!(kept.get("sidetone_shed_total{tenant=a,why=session_queue}"), shed as f64);

    // Swaps; a session that is closed by the pool; a thread that is replaced or relieved is not made to happen here.
    assert!(pool.swap(b"nothing", sidetone_host::pool::Swap::Move).is_err());
    pool.swap(sidetone_faulty_artifact::COMPONENT, sidetone_host::pool::Swap::Move)?;
    assert_eq!(
        (kept.get("sidetone_swaps_total{result=refused}"), kept.get("sidetone_swaps_total{result=swapped}")),
        (1.0, 1.0)
    );
    let storm = open(&pool, fault(TRAP, 1));
    let closed = (0..100_000).any(|n| send(&storm, n).is_err_and(|error| error.is_closed()));
    assert!(closed);
    assert_eq!(kept.get("sidetone_sessions_closed_total{reason=storm,tenant=a}"), 1.0);

    let stats = pool.stats();
    assert_eq!(kept.get("sidetone_frames_total{tenant=a}"), stats.tenants["a"].frames as f64);
    assert_eq!(kept.recorded("sidetone_total_seconds{worker=0}"), stats.total.count);
    assert_eq!(kept.recorded("sidetone_guest_seconds{worker=0}"), stats.guest.count);
    assert_eq!(kept.recorded("sidetone_queue_seconds{worker=0}"), stats.queue.count);
    assert_eq!(kept.recorded("sidetone_tenant_seconds{tenant=a}"), stats.tenant_latency["a"].count);

    // Everything that is closed is gone from the gauges.
    drop((well, sick, device, limited, slow, storm));
    assert!(pool.shutdown(Duration::from_secs(60)));
    for gauge in ["slots_used{}", "sessions{tenant=a}", "sessions{tenant=b}", "worker_sessions{worker=0}"] {
        assert_eq!(kept.get(&format!("sidetone_{gauge}")), 0.0, "{gauge}");
    }
    assert_eq!(kept.get("sidetone_instance_memory_bytes{tenant=a}"), 0.0);

    // The table is what there is.
    let described = kept.described.lock().unwrap().clone();
    let in_table: BTreeMap<_, _> =
        table::ALL.iter().map(|metric| (metric.name.to_owned(), metric.help.to_owned())).collect();
    assert_eq!(described, in_table);
    for name in kept.values.lock().unwrap().keys() {
        let (name, labels) = name.split_once('{').expect("labels");
        let metric = table::ALL.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}"));
        let mut expected: Vec<_> = metric.labels.to_vec();
        expected.sort_unstable();
        let labels: Vec<_> =
            labels.trim_end_matches('}').split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        assert_eq!(labels, expected, "{name}");
    }
    let reported: Vec<_> =
        kept.values.lock().unwrap().keys().map(|name| name.split('{').next().unwrap().to_owned()).collect();
    for metric in table::ALL {
        assert!(reported.iter().any(|name| name == metric.name), "{} is never reported", metric.name);
    }
    Ok(())
}
