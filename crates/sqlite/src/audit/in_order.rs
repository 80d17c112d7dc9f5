//! Reading one table beside another, each row once.

use rusqlite::{Row, Rows, Statement};

/// What a table holds of the rows of another, in the order of their places: whoever goes through those in that order reads each
/// row once, with no search of its own.
pub(super) struct InOrder<'s, T> {
    rows: Rows<'s>,
    read: fn(i64, &Row<'_>) -> rusqlite::Result<T>,
    next: Option<(i64, T)>,
}

impl<'s, T> InOrder<'s, T> {
    /// Of what a statement finds; the first column is what it is ordered by.
    pub(super) fn from(
        statement: &'s mut Statement<'_>,
        read: fn(i64, &Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Self> {
        let mut all = Self { rows: statement.query(())?, read, next: None };
        all.advance()?;
        Ok(all)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        let (row, read) = (self.rows.next()?, self.read);
        let next = row.map(|row| {
            let of = row.get(0)?;
            Ok::<_, rusqlite::Error>((of, read(of, row)?))
        });
        self.next = next.transpose()?;
        Ok(())
    }

    /// Those of a row that comes after all that were asked for.
    pub(super) fn of(&mut self, place: i64) -> rusqlite::Result<Vec<T>> {
        let mut found = Vec::new();
        while let Some((of, row)) = self.next.take_if(|(of, _)| *of <= place) {
            // Those of rows that are gone are found as dangling references.
            found.extend((of == place).then_some(row));
            self.advance()?;
        }
        Ok(found)
    }
}
