//! A real server, made with tonic.

use crate::protocol::conversation::{
    Said::{Healthy, Unhealthy},
    expect,
};
use crate::support::check;
use libtest_mimic::Trial;
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

pub fn trials() -> Vec<Trial> {
    trials![a_real_server, a_real_server_without_a_health_service,]
}

/// A server of routes, for as long as the value lives.
struct Real {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Serves `routes` at the target that is returned.
fn serve(routes: Routes) -> (Real, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind a free port");
    let address = listener.local_addr().expect("its address");
    listener.set_nonblocking(true).expect("a socket for tokio");
    let (stop, stopped) = oneshot::channel();
    let thread = thread::spawn(move || {
        runtime().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for tokio");
            let server = tonic::transport::Server::builder().add_routes(routes);
            let stopped = async { drop(stopped.await) };
            server
                .serve_with_incoming_shutdown(TcpIncoming::from(listener), stopped)
                .await
                .expect("it serves");
        });
    });
    let real = Real {
        stop: Some(stop),
        thread: Some(thread),
    };
    (real, format!("grpc://{address}"))
}

impl Drop for Real {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_io().build().expect("a runtime")
}

fn a_real_server() {
    let (reporter, service) = tonic_health::server::health_reporter();
    let long = "a".repeat(300);
    let set = |service: &str, status| {
        runtime().block_on(reporter.set_service_status(service, status));
    };
    set("shop.Cart", ServingStatus::Serving);
    set("shop.Stock", ServingStatus::NotServing);
    set("shop.Mail", ServingStatus::Unknown);
    set(&long, ServingStatus::Serving);
    let (_real, server) = serve(Routes::new(service));
    for (path, said) in [
        ("", Healthy("answers")),
        ("/shop.Cart", Healthy("answers")),
        (
            "/shop.Stock",
            Unhealthy("serving status 2 NOT_SERVING, expected 1 SERVING"),
        ),
        (
            "/shop.Mail",
            Unhealthy("serving status 0 UNKNOWN, expected 1 SERVING"),
        ),
        (
            "/shop.Cars",
            Unhealthy("grpc-status 5 NOT_FOUND: the health service does not know this service"),
        ),
    ] {
        let name = format!("{server}{path}");
        expect(&check([&name]), &name, said);
    }
    // A URL may end in a slash; a service's name may be long, though what is printed of it may not.
    check([format!("{server}/")]).healthy(&format!("healthy: {server}: answers in *s"));
    let localhost = server.replace("127.0.0.1", "localhost");
    check([&localhost]).healthy(&format!("healthy: {localhost}: answers in *s"));
    check([format!("{server}/{long}")])
        .healthy(&format!("healthy: {server}/aaa*...: answers in *s"));
    // Several services of one server, one of them stopping.
    let both = [format!("{server}/shop.Cart"), server.clone()];
    let run = check(&both);
    run.exits(0);
    assert_eq!(run.stdout.lines().count(), 2, "{run}");
    set("shop.Cart", ServingStatus::NotServing);
    let run = check(&both);
    run.exits(1);
    assert!(
        run.stderr
            .contains("/shop.Cart: serving status 2 NOT_SERVING")
            && run.stdout.contains(&format!("healthy: {server}: answers")),
        "{run}"
    );
    set("", ServingStatus::NotServing);
    expect(
        &check([&server]),
        &server,
        Unhealthy("serving status 2 NOT_SERVING, expected 1 SERVING"),
    );
}

fn a_real_server_without_a_health_service() {
    let (_real, server) = serve(Routes::default());
    for path in ["", "/shop.Cart"] {
        let name = format!("{server}{path}");
        let said = "grpc-status 12 UNIMPLEMENTED: the server has no health service";
        expect(&check([&name]), &name, Unhealthy(said));
    }
}
