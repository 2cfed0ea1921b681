export { type Picture, type PictureSheetOptions, pictureSheet } from './picture-sheet.ts';
export { type Evaluation, type Fact, type Report, reportHtml, type SampleViews } from './report-html.ts';
