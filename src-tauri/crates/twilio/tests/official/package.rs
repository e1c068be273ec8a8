//! One of Twilio's packages, as a program that answers a line with a line.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Package {
    Python,
    Node,
}

pub(super) const BOTH: [Package; 2] = [Package::Python, Package::Node];

impl Package {
    /// Answers `questions`, in order.
    pub(super) fn ask(self, questions: Vec<Value>) -> Vec<Value> {
        let mut program = self.start();
        let (stdin, stdout) = (program.stdin.take().unwrap(), program.stdout.take().unwrap());
        let asked = questions.len();
        let asking = std::thread::spawn(move || tell(stdin, &questions));
        let answers = listen(stdout);
        asking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let ended = program.wait().unwrap();
        assert!(ended.success(), "{self:?} ended with {ended}");
        assert_eq!(answers.len(), asked, "{self:?}");
        answers
    }

    fn start(self) -> Child {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tools/cross-check");
        let (program, script) = match self {
            Self::Python => (std::env::var_os("TWILIO_PYTHON").map(PathBuf::from), "official.py"),
            Self::Node => (Some("node".into()), "official.mjs"),
        };
        let program = program.unwrap_or_else(|| panic!("TWILIO_PYTHON is not set; run ./dev cross-check"));
        Command::new(program)
            .arg(folder.join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}

fn tell(stdin: ChildStdin, questions: &[Value]) {
    let mut stdin = BufWriter::new(stdin);
    for question in questions {
        serde_json::to_writer(&mut stdin, question).unwrap();
        stdin.write_all(b"\n").unwrap();
    }
    stdin.flush().unwrap();
}

fn listen(stdout: ChildStdout) -> Vec<Value> {
    let lines = BufReader::new(stdout).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}
