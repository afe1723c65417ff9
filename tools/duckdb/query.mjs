// Prints the rows of the SQL in the argument as JSON: a list for each.
import { DuckDBInstance } from '@duckdb/node-api'

const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run("SET TimeZone = 'UTC'")
const result = await connection.runAndReadAll(process.argv[2])
console.log(JSON.stringify(result.getRowsJson()))
