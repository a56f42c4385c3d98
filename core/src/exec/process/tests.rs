use super::*;

fn shell(script: &str) -> Order {
    Order {
        program: "sh".to_owned(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        folder: ".".into(),
        ..Order::default()
    }
}

fn run_now(order: Order) -> io::Result<(Ended, Option<Cut>)> {
    crate::base::runtime::block_on(run(order, Stop::default()))
}

#[test]
fn what_a_process_says_and_how_it_ends_is_seen() {
    let order = Order {
        environment: vec![("WORD".to_owned(), "no".to_owned())],
        stdin: Some(b"yes".to_vec()),
        ..shell("echo $WORD >&2; cat; exit 3")
    };
    let (ended, cut) = run_now(order).unwrap();
    assert_eq!((ended.status, ended.signal, cut), (Some(3), None, None));
    assert_eq!(
        (ended.stdout.into_text().0, ended.stderr.into_text().0),
        ("yes".to_owned(), "no\n".to_owned())
    );
    let (ended, _) = run_now(shell("kill -9 $$")).unwrap();
    assert_eq!((ended.status, ended.signal), (None, Some(9)));
    let missing = Order { program: "no-such-program-here".to_owned(), ..shell("") };
    assert_eq!(run_now(missing).unwrap_err().kind(), io::ErrorKind::NotFound);
}
