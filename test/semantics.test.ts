/** The checklist's record: every test that it names exists, and no line is forgotten. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { complaintOfTest, complaintsOf, readChecklist, readSections } from './semantics.ts'

const sections = readSections()

test('every test that the record names exists', () => {
  assert.ok(sections.length > 0)
  assert.deepEqual(
    sections.flatMap(({ lines }) => lines.flatMap(complaintsOf)),
    [],
  )
})

test('the lines of a section are numbered from 1, without holes', () => {
  for (const { number, lines } of sections)
    assert.deepEqual(
      lines.map(({ id }) => id),
      lines.map((_, i) => `${number}/${i + 1}`),
    )
})

test('the record sees what does not exist', () => {
  assert.match(complaintOfTest('test/nowhere.test.ts > x') ?? '', /does not exist/)
  assert.match(complaintOfTest('test/semantics.test.ts > not the name') ?? '', /no test/)
  assert.match(complaintOfTest('test/semantics.ts > x') ?? '', /no test file/)
  assert.match(complaintOfTest('test/semantics.test.ts') ?? '', /not FILE > NAME/)
  assert.equal(
    complaintOfTest('test/semantics.test.ts > the record sees what does not exist'),
    undefined,
  )
  assert.equal(complaintsOf({ id: '1.1/1', section: '1.1', reason: 'why', tests: [] }).length, 3)
})

const path = process.env.NLKIT_SEMANTICS
const skip =
  path && existsSync(path) ? false : 'NLKIT_SEMANTICS names no checklist to compare the record with'

test('the record has the lines that the checklist has', { skip }, () => {
  const checklist = readChecklist(readFileSync(path ?? '', 'utf8'))
  for (const { number, lines } of sections)
    assert.equal(lines.length, checklist.get(number)?.length, number)
})
