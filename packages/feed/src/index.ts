export {
  type FeedImages,
  type FeedInputs,
  type ImageFeed,
  type ImageFeedOptions,
  imageFeed,
  type LabelledFeedInputs,
} from './image-feed.ts';
