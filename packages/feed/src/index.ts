export {
  type FeedChain,
  type FeedImages,
  type FeedInputs,
  type FeedViews,
  type ImageFeed,
  type ImageFeedOptions,
  imageFeed,
  type LabelledFeedInputs,
} from './image-feed.ts';
