//! Rows as Arrow columns, handed over without a copy through the Arrow C data interface.

use std::ffi::CStr;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch, RecordBatchIterator, StructArray};
use arrow_schema::ArrowError;
use barograph::Error;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::error::{border, raise};

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// Rows as Arrow columns, for every library that reads the Arrow PyCapsule interface:
/// `pyarrow.table(columns)`, `polars.DataFrame(columns)`, `pandas.DataFrame.from_arrow(columns)`.
#[pyclass(frozen, module = "barograph")]
pub(crate) struct Columns {
    batch: RecordBatch,
}

impl Columns {
    pub(crate) fn new(batch: RecordBatch) -> Columns {
        Columns { batch }
    }
}

#[pymethods]
impl Columns {
    /// How many rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("Columns(rows={}, columns={})", self.batch.num_rows(), self.batch.num_columns())
    }

    /// The rows as a stream of one batch; the requested schema is left to the consumer's cast.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        border(|| {
            let _ = requested_schema;
            let schema = self.batch.schema();
            let reader = RecordBatchIterator::new(vec![Ok(self.batch.clone())], schema);
            PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
        })
    }

    /// The columns' names and types.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        border(|| {
            let schema =
                FFI_ArrowSchema::try_from(self.batch.schema().as_ref()).map_err(|e| broken(py, &e))?;
            PyCapsule::new_with_value(py, schema, SCHEMA)
        })
    }

    /// The rows as one struct array.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        border(|| {
            let _ = requested_schema;
            let rows = StructArray::from(self.batch.clone());
            let schema =
                FFI_ArrowSchema::try_from(self.batch.schema().as_ref()).map_err(|e| broken(py, &e))?;
            let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
            let array = PyCapsule::new_with_value(py, FFI_ArrowArray::new(&rows.to_data()), ARRAY)?;
            PyTuple::new(py, [schema, array])
        })
    }
}

fn broken(py: Python<'_>, error: &ArrowError) -> PyErr {
    raise(py, &Error::new("bug.panic", "columns could not be handed over as Arrow").because(error))
}
