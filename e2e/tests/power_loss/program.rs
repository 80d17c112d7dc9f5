//! The whole program, started on what a cut left.

use anyhow::Result;
use orderbell_e2e::program::Program;
use tempfile::TempDir;

use crate::load::place;
use crate::verdict::Promises;

/// How many of the orders answered last are asked for.
const LAST: usize = 20;

/// Starts the program in `home` and asks it for what was promised; says what was not kept.
pub(crate) async fn judge(home: TempDir, promises: &Promises<'_>) -> Result<Vec<String>> {
    let program = match Program::start_in(home, Vec::new(), Vec::new()).await {
        Ok(program) => program,
        Err(error) => return Ok(vec![format!("the program does not start on it: {error:#}")]),
    };
    let (customer, operator) = (program.stranger()?, program.client()?);
    let mut broken = Vec::new();
    // Ids grow with time.
    for order in promises.orders.iter().rev().take(LAST) {
        let again = place(&customer, &order.key).await?;
        if again != order.id {
            broken.push(format!("order {} placed again is {again}", order.id));
        }
        let story = operator.get(&format!("/orders/{}", order.id)).await?;
        if story.json()["customerName"] != order.key.as_str() {
            broken.push(format!("order {} is answered {}", order.id, story.body));
        }
    }
    Ok(broken)
}
