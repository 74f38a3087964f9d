//! nginx and buildbox-casd: the conformance suite of all stores, and what it does not ask.

use std::cell::Cell;

use bytekiln_cache::Store as _;
use bytekiln_test_support::servers::Server;
use bytekiln_test_support::store_conformance::{self, action, blob, compiled, rejected};

use crate::stores::store;

#[test]
fn nginx_does_what_a_store_does() {
    let Some(server) = Server::nginx(None) else { return };
    let number = Cell::new(0);
    store_conformance::check(&|| {
        // A prefix of its own is an empty store.
        number.set(number.get() + 1);
        Box::new(store(&format!("http://{}/team/{}", server.authority(), number.get())))
    });
    let layout = server.join("files/team/2/cas");
    assert!(layout.is_dir(), "PREFIX/cas/HEX is the layout of bazel-remote");
}

#[test]
fn casd_does_what_a_store_does() {
    // An instance name of its own is no empty store in casd, so each part gets a server.
    if Server::casd().is_none() {
        return;
    }
    let servers = std::cell::RefCell::new(Vec::new());
    store_conformance::check_server(&|| {
        let server = Server::casd().unwrap();
        let store = store(&format!("grpc://{}", server.authority()));
        servers.borrow_mut().push(server);
        Box::new(store)
    });
}

#[test]
fn large_blobs_go_through_streams() {
    let Some(server) = Server::casd() else { return };
    let address = format!("grpc://{}", server.authority());
    // Hardly compressible, and more than a message holds; and one that is.
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(9_000_000)
    .collect();
    let blobs = [blob(&noise), blob(&vec![b'x'; 20_000_000]), blob(b"small")];
    store(&address).write_blobs(&blobs).unwrap();
    let other = store(&address);
    let digests: Vec<_> = blobs.iter().map(|blob| blob.digest).collect();
    assert_eq!(other.find_missing(&digests).unwrap(), []);
    let found = other.read_blobs(&digests).unwrap();
    for (found, blob) in found.iter().zip(&blobs) {
        assert!(found.as_ref().is_some_and(|found| found.bytes == blob.bytes), "{}", blob.digest);
    }
    assert_eq!(other.take_warnings(), []);
}

#[test]
fn many_blobs_travel_in_few_requests() {
    let Some(server) = Server::casd() else { return };
    let address = format!("grpc://{}", server.authority());
    let store = store(&address);
    let blobs: Vec<_> = (0..2000_u32).map(|n| blob(&n.to_le_bytes().repeat(500))).collect();
    store.write_blobs(&blobs).unwrap();
    // Capabilities, what is missing, and two messages of 4 MiB.
    assert_eq!(store.stats().requests, 4, "{:?}", store.stats());
    let digests: Vec<_> = blobs.iter().map(|blob| blob.digest).collect();
    assert!(store.read_blobs(&digests).unwrap().iter().all(Option::is_some));
    assert_eq!(store.stats().requests, 6, "{:?}", store.stats());
    // Another time, nothing travels.
    store.write_blobs(&blobs).unwrap();
    assert_eq!(store.stats().requests, 7, "{:?}", store.stats());
}

#[test]
fn full_messages_are_not_too_large() {
    let Some(server) = Server::casd() else { return };
    let store = store(&format!("grpc://{}", server.authority()));
    // So many that a message of 4 MiB would be filled up to what casd keeps free in it.
    let blobs: Vec<_> = (0..300_u16).map(|n| blob(&n.to_le_bytes().repeat(20_750))).collect();
    store.write_blobs(&blobs).unwrap();
    let digests: Vec<_> = blobs.iter().map(|blob| blob.digest).collect();
    assert!(store.read_blobs(&digests).unwrap().iter().all(Option::is_some));
    // Capabilities, what is missing, and four messages in each direction, none of them in vain.
    assert_eq!(store.stats().requests, 10, "{:?}", store.stats());
}

#[test]
fn two_clients_may_upload_the_same_at_once() {
    let nginx = Server::nginx(None);
    let casd = Server::casd();
    let addresses = [
        nginx.as_ref().map(|server| format!("http://{}", server.authority())),
        casd.as_ref().map(|server| format!("grpc://{}", server.authority())),
    ];
    for address in addresses.into_iter().flatten() {
        let blobs: Vec<_> = (0..300_u32).map(|n| blob(&n.to_le_bytes())).collect();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let store = store(&address);
                    store.write_blobs(&blobs).unwrap();
                    let entry = |n| bytekiln_cache::ResultEntry {
                        action: action(n),
                        result: compiled(blobs[n as usize].digest),
                    };
                    store.update_results(&(0..300).map(entry).collect::<Vec<_>>()).unwrap();
                });
            }
        });
        let store = store(&address);
        let actions: Vec<_> = (0..300).map(action).collect();
        let results = store.get_results(&actions).unwrap();
        for (result, blob) in results.iter().zip(&blobs) {
            // casd may lose a result that two write at the same moment.
            let lost = result.is_none() && address.starts_with("grpc");
            assert!(lost || *result == Some(compiled(blob.digest)), "{address}: {result:?}");
        }
    }
}

#[test]
fn many_results_are_found_with_few_requests() {
    let (nginx, casd) = (Server::nginx(None), Server::casd());
    let addresses = [
        nginx.as_ref().map(|server| format!("http://{}", server.authority())),
        casd.as_ref().map(|server| format!("grpc://{}", server.authority())),
    ];
    for address in addresses.into_iter().flatten() {
        let actions: Vec<_> = (0..2000).map(action).collect();
        let output = blob(b"one for all");
        let entry = |action: &_| bytekiln_cache::ResultEntry {
            action: *action,
            result: compiled(output.digest),
        };
        let entries: Vec<_> = actions.iter().map(entry).collect();
        let first = store(&address);
        assert!(first.get_results(&actions).unwrap().iter().all(Option::is_none));
        first.write_blobs(std::slice::from_ref(&output)).unwrap();
        first.update_results(&entries).unwrap();
        assert!(first.get_results(&actions).unwrap().iter().all(Option::is_some));
        first.settle().unwrap();

        let second = store(&address);
        assert!(second.get_results(&actions).unwrap().iter().all(Option::is_some));
        let asked = second.stats().requests;
        assert!(asked < 2000 / 10, "{address}: {asked} requests");
        second.settle().unwrap();
        assert_eq!(second.stats().requests, asked, "{address}: there was nothing to tell");

        // Another list has most of its pieces in common with it.
        let mut other = actions.clone();
        other.remove(1000);
        other.insert(1000, action(5000));
        let third = store(&address);
        let found = third.get_results(&other).unwrap();
        assert_eq!(found.iter().flatten().count(), 1999, "{address}");
        assert!(third.stats().requests < 1300, "{address}: {:?}", third.stats());
        // What had to be asked for one by one is told, and found by the next.
        third.settle().unwrap();
        let fourth = store(&address);
        assert_eq!(fourth.get_results(&other).unwrap(), found, "{address}");
        assert!(fourth.stats().requests < 2000 / 10, "{address}: {:?}", fourth.stats());

        // A result that is replaced is replaced everywhere.
        let new = bytekiln_cache::ResultEntry { action: actions[3], result: rejected("now") };
        fourth.update_results(std::slice::from_ref(&new)).unwrap();
        assert_eq!(fourth.get_results(&other).unwrap()[3], Some(new.result.clone()), "{address}");
        fourth.settle().unwrap();
        assert_eq!(store(&address).get_results(&other).unwrap()[3], Some(new.result), "{address}");
    }
}
