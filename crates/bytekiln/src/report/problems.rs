//! Problems of a plan or a workspace, said to people.

use bytekiln_planner::Problem;

use super::diagnostic::render_problem;
use super::terminal::Terminal;

/// Says each of them.
pub fn say(terminal: &Terminal, problems: &[Problem]) {
    for problem in problems {
        terminal.say(&render_problem(problem, &terminal.style()));
    }
}
