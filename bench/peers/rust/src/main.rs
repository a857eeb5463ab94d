//! A route dump with the crate rtnetlink. Prints milliseconds and the number of routes.
use futures::stream::TryStreamExt;
use rtnetlink::{new_connection, IpVersion};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let start = std::time::Instant::now();
    let (connection, handle, _) = new_connection().expect("a netlink socket");
    tokio::spawn(connection);
    let mut stream = handle.route().get(IpVersion::V4).execute();
    let mut routes = Vec::new();
    while let Some(route) = stream.try_next().await.expect("a route") {
        routes.push(route);
    }
    let elapsed = start.elapsed().as_secs_f64() * 1e3;
    println!("{{\"ms\": {elapsed:.2}, \"count\": {}}}", routes.len());
}
